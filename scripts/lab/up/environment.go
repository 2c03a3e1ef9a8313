package up

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// variables are what each process is told at the end of the ladder, besides ADDR, OPS_ADDR, LOG_LEVEL and PPROF. What is
// not here has a default in the process itself, and can be set by [Options].Env.
var variables = map[string][]string{
	Monolith:        {"DATABASE_URL", "PROCESSOR_URL", "PROCESSOR_KEY", "SMTP_ADDR", "MAIL_FROM"},
	"gateway":       {"ROUTES_FILE", "SERVICE_KEY"},
	facade:          {"ROUTES_FILE"},
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
	step      Step // of the services' side
	addresses map[string]address
	secrets   *secrets
	databases map[string]string // the superuser's URL, by side
	natsURL   string            // without a user
	via       func(Link) (string, error)

	mu    sync.Mutex
	extra map[string][]string
}

// added are the variables that were asked for, those of the one instance after those of its service.
func (s *settings) added(process string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	added := slices.Clone(s.extra[ServiceOf(process)])
	if process != ServiceOf(process) {
		added = append(added, s.extra[process]...)
	}
	return added
}

// at are the settings as they are at a step, which a process keeps that was started at that step.
func (s *settings) at(step Step) *settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &settings{
		dir: s.dir, step: step, addresses: s.addresses, secrets: s.secrets, databases: s.databases, natsURL: s.natsURL,
		via: s.via, extra: s.extra,
	}
}

// now are the settings as they are, which others may change meanwhile.
func (s *settings) now() *settings {
	return s.at(s.currentStep())
}

func (s *settings) currentStep() Step {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.step
}

func (s *settings) become(step Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.step = step
}

func (s *settings) setBroker(natsURL string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.natsURL = natsURL
}

// set adds variables to those that were asked for.
func (s *settings) set(process string, variables []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	extra := maps.Clone(s.extra)
	if extra == nil {
		extra = map[string][]string{}
	}
	extra[process] = slices.Concat(extra[process], variables)
	s.extra = extra
}

// reach is the address by which a process reaches another.
func (s *settings) reach(from, to, address string) (string, error) {
	if s.via == nil {
		return address, nil
	}
	return s.via(Link{From: from, To: to, Address: address})
}

// reachURL is reach for the host of a URL.
func (s *settings) reachURL(from, to, at string) (string, error) {
	location, err := url.Parse(at)
	if err != nil {
		return "", fmt.Errorf("the URL of %s can't be read", to) // the error would show the password
	}
	location.Host, err = s.reach(from, to, location.Host)
	return location.String(), err
}

// ledgerFile is where the card processor keeps what it did.
func (s *settings) ledgerFile() string { return filepath.Join(s.dir, "outside", "ledger.jsonl") }

// environmentAs is the environment of a process in one part, at an address that may be another than its usual one.
func (s *settings) environmentAs(as part, process string, to address) ([]string, error) {
	s = s.at(as.step)
	s.addresses = maps.Clone(s.addresses)
	s.addresses[process] = to
	env, err := s.environment(process)
	if err == nil && as.standby {
		env = append(env, "STANDBY=true")
	}
	return env, err
}

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
	for _, variable := range s.variables(process) {
		value, err := s.value(process, variable)
		if err != nil {
			return nil, fmt.Errorf("%s of %s: %w", variable, process, err)
		}
		env = append(env, variable+"="+value)
	}
	if side := sideOf(process); side == Services && slices.Contains(s.variables(process), "DATABASE_URL") {
		env = append(env, fmt.Sprintf("POOL_SIZE=%d", s.step.Connections(ServiceOf(process))))
	}
	return append(env, s.added(process)...), nil
}

// variables are the names of what a process is told at this step.
func (s *settings) variables(process string) []string {
	switch service := ServiceOf(process); {
	case service == Trunk:
		return s.step.TrunkVariables()
	default:
		return variables[service]
	}
}

// value is what a variable says to a process.
func (s *settings) value(process, variable string) (string, error) {
	service, schema, side := ServiceOf(process), SchemaOf(process), sideOf(process)
	switch variable {
	case "DATABASE_URL":
		role := schema + "_app"
		at, err := withUser(s.databases[side], role, s.secrets.Roles[role], side, process)
		if err != nil {
			return "", err
		}
		return s.reachURL(process, processPostgres, at)
	case "NATS_URL":
		at, err := withPassword(s.natsURL, schema, s.secrets.NATS[schema])
		if err != nil {
			return "", err
		}
		return s.reachURL(process, processNATS, at)
	case "EXTRACTED":
		return strings.Join(s.step.Extracted(), ","), nil
	case "SERVICE_KEY":
		if service == Trunk {
			service = "orders" // the neighbours admit orders, wherever it lives
		}
		return s.secrets.Seeds[service], nil
	case "SIGNING_KEYS":
		return s.secrets.Seeds["accounts"], nil
	case "CALLERS":
		if service == Trunk {
			service = "accounts"
		}
		var admitted []string
		for _, caller := range callers[service] {
			admitted = append(admitted, caller+"="+s.secrets.publicKey(caller))
		}
		return strings.Join(admitted, ","), nil
	case "PROCESSOR_URL":
		return s.reachURL(process, "outside", s.addresses["outside"].url())
	case "PROCESSOR_KEY":
		return s.secrets.Merchants[side], nil
	case "MERCHANTS":
		var merchants []string
		for _, name := range slices.Sorted(maps.Keys(s.secrets.Merchants)) {
			merchants = append(merchants, name+"="+s.secrets.Merchants[name])
		}
		return strings.Join(merchants, ","), nil
	case "SMTP_ADDR":
		if process == "outside" {
			return s.addresses["outside"].smtp(), nil
		}
		return s.reach(process, "mail", s.addresses["outside"].smtp())
	case "MAIL_FROM":
		return "shop@banyan.example", nil
	case "LEDGER_FILE":
		return s.ledgerFile(), nil
	case "ROUTES_FILE":
		return routesFile(s.dir, service), nil
	}
	// INVENTORY_URL and its like are the addresses of the services, of all instances.
	name, found := strings.CutSuffix(variable, "_URL")
	instances := instancesOf(s.step.Home(strings.ToLower(name)), s.addresses)
	if variable == "ACCOUNTS_URL" && service == "notifications" && s.step.accountsMoves() {
		instances = slices.Concat(instancesOf(Trunk, s.addresses), instancesOf("accounts", s.addresses))
	}
	if !found || len(instances) == 0 {
		return "", fmt.Errorf("the lab does not know what to say")
	}
	all, err := s.urlsOf(process, instances...)
	return strings.Join(all, ","), err
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
