package hostile_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// strictGateway is one more gateway in front of the same services, with a rate limit
// that a test can reach.
func strictGateway(t *testing.T, limit string) door {
	t.Helper()
	gateway(t) // or there is nothing to stand in front of
	lab := theLab(t)
	cmd := exec.CommandContext(t.Context(), filepath.Join(lab.Dir, "bin", "gateway"))
	cmd.Env = []string{
		"ADDR=127.0.0.1:0", "OPS_ADDR=127.0.0.1:0", "RATE_LIMIT=" + limit,
		"ROUTES_FILE=" + filepath.Join(lab.Dir, "routes.json"),
		"SERVICE_KEY=" + secretsOf(t).Seeds["gateway"],
	}
	log, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	for lines := bufio.NewScanner(log); lines.Scan(); {
		var line struct{ Msg, Port, Addr string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" && line.Port == "public" {
			return door{"strict gateway", "http://" + line.Addr}
		}
	}
	require.Fail(t, "the gateway did not start")
	return door{}
}

// spoofed are headers that name another client each time.
func spoofed(n int) []string {
	ip := fmt.Sprintf("203.0.113.%d", n%250)
	return []string{
		"X-Forwarded-For: " + ip, "X-Real-Ip: " + ip, "Forwarded: for=" + ip, "X-Client-Ip: " + ip, "True-Client-Ip: " + ip, "Cf-Connecting-Ip: " + ip,
	}
}

func TestSpoofedAddresses(t *testing.T) {
	t.Parallel()
	const limit = 20
	d := strictGateway(t, strconv.Itoa(limit)+"/h")
	admitted := 0
	for n := range 4 * limit {
		a := d.ask(t, "GET", "/v1/books?limit=1", "", spoofed(n)...)
		if a.status == http.StatusOK {
			admitted++
			continue
		}
		a.refused(http.StatusTooManyRequests)
		seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
		require.NoError(t, err)
		require.Positive(t, seconds)
	}
	require.Equal(t, limit, admitted, "whoever it says it is, it is one client")
}

func TestGuessedPasswords(t *testing.T) {
	t.Parallel()
	const guesses, onePlace, anywhere = 1000, 10, 50
	attack := func(t *testing.T, d door, email string) (tried int64) {
		var next, judged atomic.Int64
		var guessing sync.WaitGroup
		for range 4 {
			guessing.Go(func() {
				for n := next.Add(1); n <= guesses; n = next.Add(1) {
					a, err := d.try(t, "POST", "/v1/sessions", strings.NewReader(credentials(email, fmt.Sprintf("guess number %d", n))), spoofed(int(n))...)
					switch {
					case err != nil:
						t.Error(err)
						return
					case a.status == http.StatusUnauthorized:
						judged.Add(1)
					case a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "":
						t.Errorf("guess %d was answered %d", n, a.status)
					}
				}
			})
		}
		guessing.Wait()
		return judged.Load()
	}

	at(t, everywhere(t, "accounts"), func(t *testing.T, d door) {
		front := d
		if d.name == "accounts" {
			front = gateway(t)
		}
		ada := front.register(t, "Ada")
		tried := attack(t, d, ada.Email)
		// A few more may be earned while the test runs.
		most := int64(anywhere + 6)
		if d.name == "gateway" {
			most = onePlace + 2 // its clients cannot make up where they are
		}
		require.LessOrEqual(t, tried, most)
		require.GreaterOrEqual(t, tried, int64(onePlace))

		t.Run("the right one among them tells nothing", func(t *testing.T) {
			d.ask(t, "POST", "/v1/sessions", credentials(ada.Email, password), "X-Forwarded-For: 198.51.100.1").refused(http.StatusTooManyRequests)
		})
		t.Run("addresses that nobody has are treated alike", func(t *testing.T) {
			nobody := newEmail()
			for range onePlace {
				d.ask(t, "POST", "/v1/sessions", credentials(nobody, "wrong"), spoofed(1)...).refused(http.StatusUnauthorized)
			}
			d.ask(t, "POST", "/v1/sessions", credentials(nobody, "wrong"), spoofed(1)...).refused(http.StatusTooManyRequests)
		})
		t.Run("whoever is signed in stays so, and others sign in", func(t *testing.T) {
			front.ask(t, "GET", "/v1/accounts/me", "", bearer(ada.session)).is(http.StatusOK)
			front.register(t, "Grace")
		})
	})
}
