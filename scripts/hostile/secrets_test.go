package hostile_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"banyan/internal/telemetry"
	"banyan/scripts/lab/up"
)

// canaries are secrets by what they are called: those of the lab, and some that are
// planted by using them everywhere they can be used.
func canaries(t *testing.T) map[string]string {
	t.Helper()
	s := secretsOf(t)
	found := map[string]string{}
	for kind, secrets := range map[string]map[string]string{
		"the password of role ": s.Roles, "the broker's password of ": s.NATS, "the merchant key of ": s.Merchants, "the private key of ": s.Seeds,
	} {
		for name, secret := range secrets {
			found[kind+name] = secret
		}
	}
	require.NotEmpty(t, found)

	for _, d := range doors(t) {
		secret := func() string { return "canary-" + uuid.NewString() }
		password, wrong, card := secret(), secret(), secret()
		email := newEmail()
		d.ask(t, "POST", "/v1/accounts", strings.Replace(registration(email, "Carla"), quoted(`correct horse battery`), quoted(password), 1)).is(http.StatusCreated)
		session := d.signIn(t, email, password)
		d.ask(t, "POST", "/v1/sessions", credentials(email, wrong)).refused(http.StatusUnauthorized)
		d.ask(t, "POST", "/v1/sessions", `{"email":`+quoted(email)+`,"password":["`+wrong+`"]}`).refused(http.StatusBadRequest)
		d.ask(t, "POST", "/v1/accounts", registration(email, "Carla")).refused(http.StatusConflict)
		d.ask(t, "PUT", "/v1/cart/items/"+d.bookID(t), `{"quantity":1}`, bearer(session)).is(http.StatusOK)
		// A card that the processor does not know: whatever comes of it, its token is on no record.
		d.ask(t, "POST", "/v1/orders", strings.Replace(checkout, "tok_visa", card, 1), bearer(session), "Idempotency-Key: "+uuid.NewString())
		d.ask(t, "GET", "/v1/nothing?access_token="+session, "", bearer(session)).refused(http.StatusNotFound)
		found["a password at the "+d.name], found["a wrong password at the "+d.name] = password, wrong
		found["a session at the "+d.name], found["a card at the "+d.name] = session, card
		if d.name == "gateway" {
			found["a signed token"] = signed(t, into[person](d.ask(t, "GET", "/v1/accounts/me", "", bearer(session))).ID, "customer")
			service(t, "payments").ask(t, "GET", "/v1/payments", "", bearer(found["a signed token"])).is(http.StatusOK)
			found["a service's token"] = serviceToken(t, "orders", "inventory")
			service(t, "inventory").ask(t, "POST", "/internal/v1/reservations", `{}`, bearer(found["a service's token"]))
		}
	}
	return found
}

// heard are the names of the canaries that the text holds.
func heard(text []byte, canaries map[string]string) (names []string) {
	for name, secret := range canaries {
		if bytes.Contains(text, []byte(secret)) {
			names = append(names, name)
		}
	}
	return names
}

// clean fails the test for every canary that the text holds.
func clean(t *testing.T, where string, text []byte, canaries map[string]string) {
	t.Helper()
	for _, name := range heard(text, canaries) {
		t.Errorf("%s holds %s", where, name)
	}
}

func TestSecretsStayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	lab := theLab(t)
	secrets := canaries(t)

	t.Run("not in logs, each line of which is one record", func(t *testing.T) {
		t.Parallel()
		for _, p := range lab.Processes {
			if p.Log == "" {
				continue
			}
			text, err := os.ReadFile(p.Log)
			require.NoError(t, err)
			clean(t, p.Log, text, secrets)
			if p.Name == "postgres" || p.Name == "nats" {
				continue
			}
			require.NotEmpty(t, text, p.Log)
			for line := range bytes.Lines(text) {
				require.True(t, json.Valid(line), "%s: %s", p.Log, line)
			}
		}
	})
	t.Run("not in the list of processes", func(t *testing.T) {
		t.Parallel()
		if _, err := os.Stat("/proc/self/cmdline"); err != nil {
			t.Skip("this system has no /proc")
		}
		seen := 0
		for _, p := range lab.Processes {
			text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.PID), "cmdline"))
			if p.PID == 0 || err != nil {
				continue // it is somebody else's
			}
			seen++
			clean(t, "the command line of "+p.Name, text, secrets)
		}
		require.Positive(t, seen)
	})
	t.Run("not on the operators' port", func(t *testing.T) {
		t.Parallel()
		for _, p := range lab.Processes {
			if p.OpsURL == "" {
				continue
			}
			for _, path := range []string{"/metrics", "/readyz", "/debug/pprof/cmdline"} {
				a := door{p.Name + ", ops", p.OpsURL}.ask(t, "GET", path, "").is(http.StatusOK, http.StatusNotFound)
				clean(t, a.call, a.body, secrets)
			}
		}
	})
	t.Run("not in files that others may read", func(t *testing.T) {
		t.Parallel()
		for _, name := range []string{"secrets.json", "state.json"} {
			info, err := os.Stat(filepath.Join(lab.Dir, name))
			require.NoError(t, err)
			require.Zero(t, info.Mode().Perm()&0o077, "%s is for its owner only", name)
		}
		ledger, err := os.ReadFile(filepath.Join(lab.Dir, "outside", "ledger.jsonl"))
		require.NoError(t, err)
		clean(t, "the ledger", ledger, secrets)
	})
	t.Run("not in git", func(t *testing.T) {
		t.Parallel()
		root, err := up.Root()
		require.NoError(t, err)
		git := func(args ...string) []byte {
			cmd := exec.Command("git", args...)
			cmd.Dir = root
			out, err := cmd.Output()
			var exit *exec.ExitError
			if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 1 && len(exit.Stderr) == 0) {
				t.Skipf("git cannot be asked: %v", err)
			}
			return out // exit status 1 is git grep's way to say that there is nothing
		}
		clean(t, "git", git("grep", "-Ih", "-e", ".", "--", ":!go.sum", ":!*.csv"), secrets)
		for _, pattern := range lookLikeSecrets {
			for line := range strings.Lines(string(git("grep", "-InE", "-e", pattern))) {
				if !madeUp.MatchString(line) {
					t.Errorf("this looks like a secret: %s", line)
				}
			}
		}
		// What was there once is there for ever, for whoever clones.
		compiled := regexp.MustCompile(strings.Join(lookLikeSecrets, "|"))
		lines := 0
		for line := range bytes.Lines(git("log", "--all", "--patch", "--unified=0", "--format=%h", "--", ":!go.sum", ":!*.csv")) {
			if lines++; line[0] == '+' && compiled.Match(line) && !madeUp.Match(line) {
				t.Errorf("in git's history, this looks like a secret: %s", line)
			}
		}
		require.Greater(t, lines, 1000, "git has a history")
		for name := range strings.Lines(string(git("ls-files"))) {
			require.NotRegexp(t, `(^|/)(secrets\.json|state\.json|\.env(\..*)?|id_[a-z0-9]+|.*\.(pem|key|p12|pfx|jks))$`, strings.TrimSpace(name))
		}
	})
	t.Run("and each would be heard in a line of a log", func(t *testing.T) {
		t.Parallel()
		for what, secret := range secrets {
			require.GreaterOrEqual(t, len(secret), 16, "%s is too short to be looked for", what)
			var line bytes.Buffer
			telemetry.NewLogger(&line, "canary", slog.LevelInfo).Error("cannot go on", "error", errors.New("refused: "+secret))
			require.Contains(t, heard(line.Bytes(), secrets), what)
		}
	})
}

// What keys look like: PEM, those of well-known clouds, an address with a password,
// and 32 bytes of base64 beside a word that says what they are for.
var lookLikeSecrets = []string{
	`-----BEGIN [A-Z ]*PRIVATE KEY`,
	`(AKIA|ASIA)[0-9A-Z]{16}`,
	`gh[pousr]_[A-Za-z0-9]{36}`,
	`xox[abps]-[0-9A-Za-z-]{10,}`,
	`(postgres|postgresql|nats|amqp|redis)://[^ :/"'@]+:[^ /"'@$%{}]{8,}@`,
	`(KEY|SECRET|TOKEN|SEED|PASSWORD)S?[="' :]+[A-Za-z0-9+/]{42,43}=`,
	`eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}`,
}

// madeUp is what examples use.
var madeUp = regexp.MustCompile(`password@|:secret|example|hunter2`)
