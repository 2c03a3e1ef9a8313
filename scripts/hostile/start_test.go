package hostile_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/internal/token"
	"banyan/scripts/lab/up"
)

var labDir = flag.String("lab", "", "the `FOLDER` of a running lab, such as .lab; a lab of its own without it")

func TestMain(m *testing.M) {
	// These tests wait more than they compute. What the command line says still wins.
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	flag.Parse()
	code := m.Run()
	if err := own.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop the lab:", err)
		code = 1
	}
	os.Exit(code)
}

// own is the lab that is started when none is given, with the first test that needs it.
var own ownLab

type ownLab struct {
	once sync.Once
	dir  string
	lab  *up.Lab
	err  error
}

func (o *ownLab) start() {
	if o.dir, o.err = os.MkdirTemp("", "banyan-hostile-"); o.err != nil {
		return
	}
	o.lab, o.err = up.Start(context.Background(), up.Options{Dir: o.dir, RandomPorts: true})
}

func (o *ownLab) stop() error {
	if o.dir == "" {
		return nil
	}
	if o.lab != nil {
		if err := o.lab.Stop(context.Background()); err != nil {
			return err
		}
	}
	if err := up.Wipe(o.dir); err != nil {
		return err
	}
	return os.RemoveAll(o.dir)
}

// theLab is the lab to attack.
func theLab(t *testing.T) up.State {
	t.Helper()
	if *labDir != "" {
		dir := *labDir
		if !filepath.IsAbs(dir) { // the test runs in its package's folder
			root, err := up.Root()
			require.NoError(t, err)
			dir = filepath.Join(root, dir)
		}
		state, err := up.Running(dir)
		require.NoError(t, err)
		return *state
	}
	own.once.Do(own.start)
	require.NoError(t, own.err, "start a lab to attack")
	return own.lab.State()
}

// door is an address of the shop: its side's front, or a service's own port.
type door struct{ name, url string }

// doors are what the street can reach: the sides that run.
func doors(t *testing.T) []door {
	t.Helper()
	lab := theLab(t)
	var found []door
	for _, d := range []door{{"gateway", lab.GatewayURL}, {"monolith", lab.MonolithURL}} {
		if d.url != "" {
			found = append(found, d)
		}
	}
	return found
}

// gateway is the services' door; the test is skipped if they do not run.
func gateway(t *testing.T) door { return service(t, "gateway") }

// service is a process of the services' side at its own public port.
func service(t *testing.T, name string) door {
	t.Helper()
	for _, p := range theLab(t).Processes {
		if p.Name == name {
			return door{name, p.URL}
		}
	}
	t.Skipf("the lab does not run %s", name)
	return door{}
}

// everywhere are the doors and these services.
func everywhere(t *testing.T, services ...string) []door {
	t.Helper()
	found := doors(t)
	for _, p := range theLab(t).Processes {
		for _, name := range services {
			if p.Name == name {
				found = append(found, door{p.Name, p.URL})
			}
		}
	}
	return found
}

// at runs a test at each of the places, all at the same time.
func at(t *testing.T, places []door, test func(t *testing.T, d door)) {
	t.Helper()
	for _, d := range places {
		t.Run("at the "+d.name, func(t *testing.T) {
			t.Parallel()
			test(t, d)
		})
	}
}

// stolen is what the lab keeps in secrets.json.
type stolen struct {
	Roles     map[string]string `json:"roles"`
	NATS      map[string]string `json:"nats"`
	Merchants map[string]string `json:"merchants"`
	Seeds     map[string]string `json:"seeds"`
}

func secretsOf(t *testing.T) stolen {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(theLab(t).Dir, "secrets.json"))
	require.NoError(t, err)
	var s stolen
	require.NoError(t, json.Unmarshal(content, &s))
	return s
}

// keyOf is a service's private key.
func keyOf(t *testing.T, name string) ed25519.PrivateKey {
	t.Helper()
	key, err := token.ParseSigningKey(secretsOf(t).Seeds[name])
	require.NoError(t, err)
	return key
}
