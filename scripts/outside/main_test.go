package main

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	_, err := parseConfig([]string{"MERCHANTS=a=1,a=2,b=1,c"})
	for _, want := range []string{"LEDGER_FILE is not set", "a is there twice", "a and b have the same key", "entry 4 is not name=key"} {
		require.ErrorContains(t, err, want)
	}
	config, err := parseConfig([]string{"LEDGER_FILE=l", "MERCHANTS=monolith=a2V5==,services=other"})
	require.NoError(t, err)
	require.Equal(t, Config{
		Addr: "127.0.0.1:8100", SMTPAddr: "127.0.0.1:8125", LedgerFile: "l",
		Merchants: merchants{"a2V5==": "monolith", "other": "services"},
	}, config)
}

func TestTakenPort(t *testing.T) {
	t.Parallel()
	world := startWorld(t)
	err := run(t.Context(), []string{
		"ADDR=" + strings.TrimPrefix(world.url, "http://"),
		"LEDGER_FILE=" + t.TempDir() + "/ledger.jsonl",
		"MERCHANTS=monolith=k",
	}, new(syncBuffer))
	require.ErrorContains(t, err, "is taken by another process: stop that one, or set ADDR to a free address")
}

func TestStop(t *testing.T) {
	t.Parallel()
	world := startWorld(t)
	var held error
	var client sync.WaitGroup
	client.Go(func() {
		_, _, held = world.try(t.Context(), "/charges", chargeOf("held", "tok_timeout"))
	})
	require.Eventually(t, func() bool { return len(world.effectsOf(t, "held")) == 1 }, 5*time.Second, time.Millisecond)

	world.stop(t) // fails when it passes its deadline, which is shorter than a connection is held
	client.Wait()
	require.Error(t, held, "and the held connection was cut without an answer")
}
