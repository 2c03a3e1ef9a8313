package up

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// variables are what each process is told, besides ADDR, OPS_ADDR, LOG_LEVEL and PPROF. What is not here has a
// default in the process itself, and can be set by [Options].Env.
var variables = map[string][]string{
	"monolith":      {"DATABASE_URL", "PROCESSOR_URL", "PROCESSOR_KEY", "SMTP_ADDR", "MAIL_FROM"},
	"gateway":       {"ROUTES_FILE", "ACCOUNTS_URL", "SERVICE_KEY"},
	"accounts":      {"DATABASE_URL", "NATS_URL", "SIGNING_KEYS", "CALLERS"},
	"catalog":       {"DATABASE_URL", "NATS_URL", "ACCOUNTS_URL"},
	"inventory":     {"DATABASE_URL", "NATS_URL", "ACCOUNTS_URL", "CALLERS"},
	"orders":        {"DATABASE_URL", "NATS_URL", "ACCOUNTS_URL", "SERVICE_KEY", "INVENTORY_URL", "PAYMENTS_URL", "SHIPPING_URL"},
	"payments":      {"DATABASE_URL", "NATS_URL", "ACCOUNTS_URL", "CALLERS", "PROCESSOR_URL", "PROCESSOR_KEY"},
	"shipping":      {"DATABASE_URL", "NATS_URL", "ACCOUNTS_URL", "CALLERS"},
	"notifications": {"DATABASE_URL", "NATS_URL", "ACCOUNTS_URL", "SMTP_ADDR", "MAIL_FROM"},
	"outside":       {"SMTP_ADDR", "LEDGER_FILE", "MERCHANTS"},
}

// inherited are the variables of the lab's own environment that its processes see; nothing else leaks in.
var inherited = []string{"PATH", "HOME", "TMPDIR", "TZ"}

// settings are what a process's environment is made from.
type settings struct {
	dir       string
	addresses map[string]address
	secrets   *secrets
	databases map[string]string // the superuser's URL, by side
	natsURL   string            // without a user
	extra     map[string][]string
}

// ledgerFile is where the card processor keeps what it did.
func (s *settings) ledgerFile() string { return filepath.Join(s.dir, "outside", "ledger.jsonl") }

// environment is the whole environment of a process.
func (s *settings) environment(process string) ([]string, error) {
	var env []string
	for _, name := range inherited {
		if value, set := os.LookupEnv(name); set {
			env = append(env, name+"="+value)
		}
	}
	env = append(env, "ADDR="+s.addresses[process].public())
	if s.addresses[process].Ops != 0 {
		env = append(env, "OPS_ADDR="+s.addresses[process].ops(), "LOG_LEVEL=info", "PPROF=true")
	}
	for _, variable := range variables[process] {
		value, err := s.value(process, variable)
		if err != nil {
			return nil, fmt.Errorf("%s of %s: %w", variable, process, err)
		}
		env = append(env, variable+"="+value)
	}
	return append(env, s.extra[process]...), nil
}

// value is what a variable says to a process.
func (s *settings) value(process, variable string) (string, error) {
	switch variable {
	case "DATABASE_URL":
		role := process + "_app"
		return withUser(s.databases[sideOf(process)], role, s.secrets.Roles[role], sideOf(process), process)
	case "NATS_URL":
		return withPassword(s.natsURL, process, s.secrets.NATS[process])
	case "SERVICE_KEY":
		return s.secrets.Seeds[process], nil
	case "SIGNING_KEYS":
		return s.secrets.Seeds["accounts"], nil
	case "CALLERS":
		var admitted []string
		for _, caller := range callers[process] {
			admitted = append(admitted, caller+"="+s.secrets.publicKey(caller))
		}
		return strings.Join(admitted, ","), nil
	case "PROCESSOR_URL":
		return s.addresses["outside"].url(), nil
	case "PROCESSOR_KEY":
		return s.secrets.Merchants[sideOf(process)], nil
	case "MERCHANTS":
		var merchants []string
		for _, name := range slices.Sorted(maps.Keys(s.secrets.Merchants)) {
			merchants = append(merchants, name+"="+s.secrets.Merchants[name])
		}
		return strings.Join(merchants, ","), nil
	case "SMTP_ADDR":
		return s.addresses["outside"].smtp(), nil
	case "MAIL_FROM":
		return "shop@banyan.example", nil
	case "LEDGER_FILE":
		return s.ledgerFile(), nil
	case "ROUTES_FILE":
		return routesFile(s.dir), nil
	}
	// INVENTORY_URL and its like are the addresses of the services.
	if name, found := strings.CutSuffix(variable, "_URL"); found {
		if to, known := s.addresses[strings.ToLower(name)]; known {
			return to.url(), nil
		}
	}
	return "", fmt.Errorf("the lab does not know what to say")
}

// withUser is a database URL for another user and another database of the same server. The
// application's name lets the server's own views tell whose a connection is.
func withUser(databaseURL, user, password, database, application string) (string, error) {
	location, err := url.Parse(databaseURL)
	if err != nil {
		return "", fmt.Errorf("the database's URL can't be read") // the error would show the password
	}
	location.User = url.UserPassword(user, password)
	location.Path = "/" + database
	query := location.Query()
	query.Set("application_name", application)
	location.RawQuery = query.Encode()
	return location.String(), nil
}

func withPassword(address, user, password string) (string, error) {
	location, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	location.User = url.UserPassword(user, password)
	return location.String(), nil
}
