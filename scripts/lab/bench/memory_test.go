package bench

import (
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/gauge"
	"banyan/scripts/lab/up"
)

func TestSidesOnOneDatabase(t *testing.T) {
	t.Parallel()

	t.Run("share no process but PostgreSQL and the world outside", func(t *testing.T) {
		t.Parallel()
		sides := []*side{
			{name: up.Monolith, home: up.Monolith}, {name: facade, home: up.Monolith}, {name: up.Services, home: up.Services},
		}
		var processes []up.ProcessState
		for i, name := range []string{"outside", "postgres", up.Monolith, "gateway", "orders", behindFacade, facade, "nats"} {
			processes = append(processes, up.ProcessState{Name: name, PID: 1 + i})
		}
		findOthers(sides, processes)
		others := func(s *side) (names []string) {
			for _, process := range s.others {
				names = append(names, process.Name)
			}
			return names
		}
		require.Equal(t, []string{behindFacade, facade}, others(sides[0]))
		require.Equal(t, []string{up.Monolith}, others(sides[1]))
		require.Empty(t, others(sides[2]), "nobody else works on the services' database")
	})

	t.Run("work alone while it is their turn", func(t *testing.T) {
		t.Parallel()
		busy := exec.CommandContext(t.Context(), "sh", "-c", "while :; do :; done")
		require.NoError(t, busy.Start())
		t.Cleanup(func() { _ = busy.Process.Kill(); _ = busy.Wait() })
		used := func() time.Duration {
			times, err := gauge.ReadProcess(busy.Process.Pid)
			if err != nil {
				t.Skip("no /proc")
			}
			return times.Used
		}
		require.Eventually(t, func() bool { return used() > 0 }, 10*time.Second, time.Millisecond)
		goOn, err := pause([]up.ProcessState{{Name: "busy", PID: busy.Process.Pid}})
		require.NoError(t, err)
		time.Sleep(50 * time.Millisecond) // the signal has arrived
		before := used()
		time.Sleep(200 * time.Millisecond)
		require.Equal(t, before, used(), "it is stopped")
		goOn()
		goOn()
		require.Eventually(t, func() bool { return used() > before }, 10*time.Second, time.Millisecond, "it goes on")
	})

	t.Run("cannot be told apart if one is gone", func(t *testing.T) {
		t.Parallel()
		gone := exec.CommandContext(t.Context(), "true")
		require.NoError(t, gone.Run())
		goOn, err := pause([]up.ProcessState{{Name: "gone", PID: gone.Process.Pid}})
		require.ErrorContains(t, err, "stop gone")
		goOn()
	})
}
