package contract_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/up"
)

var target = flag.String("target", "", "the `URL` of the shop to judge, such as http://127.0.0.1:8080; a monolith of its own without it")

func TestMain(m *testing.M) {
	// These tests wait for a shop more than they compute, so more of them may run
	// at once than there are cores. What the command line says still wins.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	flag.Parse()
	code := m.Run()
	if err := own.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop the monolith:", err)
		code = 1
	}
	os.Exit(code)
}

// own is the monolith that the suite starts when no target is given, with the
// first test that needs one.
var own ownShop

type ownShop struct {
	once sync.Once
	dir  string
	lab  *up.Lab
	err  error
}

func (o *ownShop) start() {
	if o.dir, o.err = os.MkdirTemp("", "banyan-contract-"); o.err != nil {
		return
	}
	o.lab, o.err = up.Start(context.Background(), up.Options{Only: up.Monolith, Dir: o.dir, RandomPorts: true})
}

func (o *ownShop) stop() error {
	if o.lab == nil {
		return nil
	}
	if err := o.lab.Stop(context.Background()); err != nil {
		return err
	}
	if err := up.Wipe(o.dir); err != nil {
		return err
	}
	return os.RemoveAll(o.dir)
}

// shopURL is where the shop is that the test judges.
func shopURL(t *testing.T) string {
	t.Helper()
	if *target != "" {
		return *target
	}
	own.once.Do(own.start)
	require.NoError(t, own.err, "start a monolith to judge")
	return own.lab.MonolithURL()
}
