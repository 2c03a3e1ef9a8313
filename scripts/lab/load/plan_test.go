package load

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// asleep waits by the clock of a test's bubble, where nothing but waiting takes time.
func asleep(by time.Duration) func(context.Context, time.Duration) {
	return func(_ context.Context, d time.Duration) { time.Sleep(d + by) }
}

// begun is a plan whose waits end so much too late.
func begun(p Plan, late time.Duration) *schedule {
	s := p.begin()
	s.sleep = asleep(late)
	return s
}

// log is what clients were called for, and after what time.
type log struct {
	mu    sync.Mutex
	began time.Time
	turns []Turn
	at    []time.Duration
	Tally
}

func newLog() *log { return &log{began: time.Now()} }

// client notes its turns, and takes so long for each.
func (l *log) client(takes func(Turn) time.Duration) Client {
	return func(_ context.Context, turn Turn) {
		l.mu.Lock()
		l.turns, l.at = append(l.turns, turn), append(l.at, time.Since(l.began))
		l.Keep(turn)
		l.mu.Unlock()
		if turn.Err != nil {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.Fail(turn.Err)
			return
		}
		time.Sleep(takes(turn))
		l.mu.Lock()
		defer l.mu.Unlock()
		l.Serve("", time.Since(turn.Due))
	}
}

func always(d time.Duration) func(Turn) time.Duration { return func(Turn) time.Duration { return d } }

// stalling answers at once, but for one turn.
func stalling(at int, d time.Duration) func(Turn) time.Duration {
	return func(turn Turn) time.Duration {
		if turn.N == at {
			return d
		}
		return 0
	}
}

func TestClosedLoop(t *testing.T) {
	t.Parallel()

	t.Run("asks again as soon as there is an answer", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			seen := newLog()
			ask := seen.client(always(100 * time.Millisecond))
			took := begun(Plan{Length: time.Second}, 0).run(t.Context(), []Client{ask, ask})
			require.Len(t, seen.turns, 20)
			require.Equal(t, time.Second, took)
			require.InDelta(t, 100, seen.Served.Percentile(100).Milliseconds(), 1)
			require.Zero(t, seen.Delays.Count(), "nothing was due, so nothing can be late")
		})
	})

	t.Run("finishes what has begun", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			seen := newLog()
			took := begun(Plan{Length: time.Second}, 0).run(t.Context(), []Client{seen.client(always(3 * time.Second))})
			require.Len(t, seen.turns, 1)
			require.Equal(t, 3*time.Second, took)
		})
	})

	t.Run("gives each turn to one client", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			seen := newLog()
			ask := seen.client(always(time.Millisecond))
			Plan{Count: 41}.Run(t.Context(), ask, ask, ask, ask)
			numbers := map[int]bool{}
			for _, turn := range seen.turns {
				numbers[turn.N] = true
			}
			require.Len(t, seen.turns, 41)
			require.Len(t, numbers, 41)
			require.True(t, numbers[0] && numbers[40])
		})
	})

	t.Run("ends with its context", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			took := Plan{Length: time.Hour}.Run(ctx, func(ctx context.Context, _ Turn) { <-ctx.Done() })
			require.Equal(t, time.Second, took)
		})
	})
}

func TestEndlessLoop(t *testing.T) {
	t.Parallel()

	for name, rate := range map[string]float64{"open": 10, "closed": 0} {
		t.Run(name+" goes on until it is told to stop", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				seen := newLog()
				begun(Plan{Rate: rate, Endless: true}, 0).run(ctx, []Client{seen.client(always(100 * time.Millisecond))})
				require.InDelta(t, 36_000, len(seen.turns), 1)
				require.Zero(t, seen.Failed)
			})
		})
	}

	t.Run("does not take what is half a minute behind, and takes turns again afterwards", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			seen := newLog()
			begun(Plan{Rate: 10, Endless: true}, 0).run(ctx, []Client{seen.client(stalling(9, 40*time.Second))})
			require.InDelta(t, 100, seen.Failed, 1, "ten seconds' worth")
			require.ErrorIs(t, seen.First, ErrBehind)
			require.InDelta(t, 1200, len(seen.turns), 1)
		})
	})
}

func TestOpenLoop(t *testing.T) {
	t.Parallel()

	t.Run("asks when it has to", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			seen := newLog()
			ask := seen.client(always(15 * time.Millisecond))
			begun(Plan{Rate: 100, Length: time.Second}, 0).run(t.Context(), []Client{ask, ask})
			require.Len(t, seen.turns, 100)
			for i, at := range seen.at {
				require.Equal(t, time.Duration(i)*10*time.Millisecond, at)
			}
			require.InDelta(t, 15, seen.Served.Percentile(100).Milliseconds(), 1)
			require.Zero(t, seen.Late)
		})
	})

	t.Run("keeps its rate on the average when each wait ends a little late", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			seen := newLog()
			ask := seen.client(always(0))
			began := time.Now()
			begun(Plan{Rate: 100, Length: 10 * time.Second}, 3*time.Millisecond).run(t.Context(), []Client{ask})
			require.Len(t, seen.turns, 1000)
			require.Equal(t, 9993*time.Millisecond, time.Since(began), "the last is 3 ms late, and not 1000 times that")
			require.Equal(t, 3*time.Millisecond, seen.turns[500].Delay)
			require.InDelta(t, 3, seen.Served.Percentile(50).Milliseconds(), 1, "it counts from when it was due")
			require.Zero(t, seen.Late)
		})
	})

	t.Run("makes a server that stalls answer for all who came meanwhile", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			seen := newLog()
			begun(Plan{Rate: 100, Length: time.Second}, 0).run(t.Context(), []Client{seen.client(stalling(19, 300*time.Millisecond))})
			require.EqualValues(t, 100, seen.Served.Count())
			require.InDelta(t, 300, seen.Served.Percentile(100).Milliseconds(), 1)
			require.InDelta(t, 200, seen.Served.Percentile(90).Milliseconds(), 15, "a loop that forgot the others would have one slow answer")
			require.Zero(t, seen.Served.Percentile(69).Milliseconds())
			require.Zero(t, seen.Late, "those who waited for the server were not late")
			require.EqualValues(t, 69, seen.Delays.Count(), "30 had no client, and the first was due before there was one")
		})
	})

	t.Run("gives up what a server is too slow for", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			seen := newLog()
			took := begun(Plan{Rate: 10, Length: 5 * time.Second}, 0).run(t.Context(), []Client{seen.client(always(time.Second))})
			require.EqualValues(t, 50, seen.Requests())
			require.EqualValues(t, 16, seen.Served.Count(), "in twice the length and 5 s, the last one begun at the end")
			require.ErrorIs(t, seen.First, ErrTooSlow)
			require.Equal(t, 16*time.Second, took)
		})
	})
}

func TestLate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		by   time.Duration
		late bool
	}{
		"in time":        {0, false},
		"just not late":  {LateAfter, false},
		"late":           {LateAfter + time.Microsecond, true},
		"very much late": {3 * LateAfter, true},
	} {
		for loop, run := range map[string]func(*schedule, Client){
			"few clients": func(s *schedule, ask Client) { s.run(t.Context(), []Client{ask}) },
			"a crowd":     func(s *schedule, ask Client) { s.each(t.Context(), 10, ask) },
		} {
			t.Run(loop+", "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					seen := newLog()
					run(begun(Plan{Rate: 10, Length: time.Second}, c.by), seen.client(always(0)))
					require.Len(t, seen.turns, 10)
					require.Equal(t, c.late, seen.Late >= 9, "%d late", seen.Late)
					require.Equal(t, c.late, seen.TooLate(0.01))
					require.Equal(t, c.late, seen.LateShare() > 0.5)
				})
			})
		}
	}
}

func TestCrowd(t *testing.T) {
	t.Parallel()

	t.Run("does not wait for answers", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			seen := newLog()
			began := time.Now()
			begun(Plan{Rate: 100, Length: time.Second}, 0).each(t.Context(), 1000, seen.client(always(5*time.Second)))
			require.EqualValues(t, 100, seen.Served.Count())
			require.Equal(t, 990*time.Millisecond, seen.at[99])
			require.Equal(t, 5990*time.Millisecond, time.Since(began), "but for the last ones")
		})
	})

	t.Run("has a limit of its own, and says so", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			seen := newLog()
			begun(Plan{Rate: 100, Length: time.Second}, 0).each(t.Context(), 30, seen.client(always(5*time.Second)))
			require.EqualValues(t, 30, seen.Served.Count())
			require.EqualValues(t, 70, seen.Failed)
			require.ErrorIs(t, seen.First, ErrCrowded)
			require.EqualValues(t, 30, seen.Delays.Count(), "what has no client is not late")
		})
	})

	t.Run("has room again after an answer", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			seen := newLog()
			begun(Plan{Rate: 100, Count: 200}, 0).each(t.Context(), 10, seen.client(always(95*time.Millisecond)))
			require.EqualValues(t, 200, seen.Served.Count())
			require.NoError(t, seen.First)
		})
	})

	t.Run("ends with its context", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 995*time.Millisecond)
			defer cancel()
			seen := newLog()
			begun(Plan{Rate: 100, Length: time.Hour}, 0).each(ctx, 10, seen.client(always(0)))
			require.Len(t, seen.turns, 100)
		})
	})
}

// A real clock, and real waiting. What else this machine does may make a turn late, but not early, nor all of them.
func TestPacing(t *testing.T) {
	t.Parallel()
	seen := newLog()
	took := Plan{Rate: 500, Length: 500 * time.Millisecond}.Run(t.Context(), seen.client(always(0)), seen.client(always(0)))
	require.Len(t, seen.turns, 250)
	for _, turn := range seen.turns {
		require.GreaterOrEqual(t, turn.Delay, time.Duration(0))
	}
	require.GreaterOrEqual(t, took, 498*time.Millisecond)

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	Plan{Rate: 0.001, Count: 2}.Run(ctx, seen.client(always(0)))
	require.Less(t, time.Since(began), 10*time.Second, "a long wait ends with its context")
}
