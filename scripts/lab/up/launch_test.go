package up

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLaunch(t *testing.T) {
	t.Parallel()

	t.Run("a process that dies before it is ready is an answer, and no accident", func(t *testing.T) {
		t.Parallel()
		l := fleet(t)
		l.settings.extra = map[string][]string{Monolith: {"DIE=at once"}}
		require.ErrorContains(t, l.program(Monolith).launch(t.Context()), "six: no schema here")
		stop(t, l) // waits for those who watch
		require.ErrorIs(t, context.Cause(l.broken), context.Canceled)
	})
	t.Run("a process that does not get ready is ended", func(t *testing.T) {
		t.Parallel()
		l := fleet(t)
		l.settings.extra = map[string][]string{Monolith: {"READY=never"}}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		p := l.program(Monolith)
		require.ErrorContains(t, p.launch(ctx), "monolith did not get ready")
		require.False(t, p.alive())
		require.NoError(t, l.broken.Err())
		stop(t, l)
	})
	t.Run("a process that does not end in its time is killed", func(t *testing.T) {
		t.Parallel()
		l := fleet(t)
		p := l.program(Monolith)
		require.NoError(t, p.launch(t.Context()))
		require.NoError(t, p.Pause())
		killed, err := p.halt(100 * time.Millisecond)
		require.NoError(t, err)
		require.True(t, killed)
		require.False(t, p.alive())
		killed, err = p.halt(time.Second)
		require.NoError(t, err, "it is gone already")
		require.False(t, killed)
		stop(t, l)
	})
	t.Run("one that stands by has the environment for that", func(t *testing.T) {
		t.Parallel()
		s := example(t, 3)
		s.addresses["catalog"] = portsOf("catalog")
		env, err := s.environmentAs(part{step: Ladder[4], standby: true}, "catalog", address{Public: 7, Ops: 8})
		require.NoError(t, err)
		require.Subset(t, env, []string{"STANDBY=true", "ADDR=127.0.0.1:7", "OPS_ADDR=127.0.0.1:8", "POOL_SIZE=7"})
	})
}

func TestStartProcess(t *testing.T) {
	t.Parallel()
	l := fleet(t)
	l.program(Monolith)
	ctx, cancel := context.WithCancel(t.Context())
	l.settings.via = func(link Link) (string, error) {
		cancel() // who asked is killed while the process starts
		return link.Address, nil
	}
	started, err := l.startProcess(ctx, StartOrder{Name: Monolith})
	require.NoError(t, err)
	require.True(t, started.Ready)
	require.NoError(t, l.killProcess(Monolith))
	_, err = l.startProcess(ctx, StartOrder{Name: Monolith})
	require.ErrorIs(t, err, context.Canceled, "nothing begins for one who is gone")
	stop(t, l)
}

func TestRevive(t *testing.T) {
	t.Parallel()
	l := fleet(t)
	p := l.program(Monolith)
	require.NoError(t, p.launch(t.Context()))
	require.True(t, l.reviveOnce(t.Context(), p), "it runs")
	p.Kill9()
	require.True(t, l.reviveOnce(t.Context(), p))
	require.True(t, p.alive())

	_, err := p.halt(time.Second)
	require.NoError(t, err)
	require.True(t, l.reviveOnce(t.Context(), p))
	require.False(t, p.alive(), "what was stopped on request stays away")

	l.settings.extra = map[string][]string{Monolith: {"DIE=at once"}}
	require.Error(t, p.launch(t.Context()))
	require.False(t, l.reviveOnce(t.Context(), p), "it is worth another try")
	stop(t, l)
}
