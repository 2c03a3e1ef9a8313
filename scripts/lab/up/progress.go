package up

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress tells a person what is going on, a line each, with the time since the start.
type progress struct {
	mu      sync.Mutex
	out     io.Writer
	started time.Time
}

func newProgress(out io.Writer) *progress {
	if out == nil {
		out = io.Discard
	}
	return &progress{out: out, started: time.Now()}
}

func (p *progress) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, "%6.1fs  %s\n", time.Since(p.started).Seconds(), fmt.Sprintf(format, args...))
}

// during does something that takes its time, and says that it has begun, that it goes on, and how
// long it took.
func (p *progress) during(what string, do func() error) error {
	p.say("%s …", what)
	began, done := time.Now(), make(chan struct{})
	var patience sync.WaitGroup
	patience.Go(func() {
		tick := time.NewTicker(10 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				p.say("still: %s (%.0f s)", what, time.Since(began).Seconds())
			}
		}
	})
	err := do()
	close(done)
	patience.Wait()
	if err == nil {
		p.say("done: %s (%.1f s)", what, time.Since(began).Seconds())
	}
	return err
}
