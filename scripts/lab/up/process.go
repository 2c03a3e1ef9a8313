package up

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"banyan/internal/local"
)

// readyWithin is how long a process may take from its start to its readiness.
const readyWithin = 60 * time.Second

// Process is one process of a running lab. Its end is an accident, which ends the lab, unless it was
// asked for here.
type Process struct {
	Name   string
	URL    string // empty if it serves no HTTP
	OpsURL string // empty if it has no ops port
	Log    string

	start   func(context.Context) (*local.Process, error) // starts it and waits until it can be asked
	spare   bool                                          // it is there to be tried, and forgotten when it is stopped
	probe   string                                        // answers 200 once the process is ready; empty: start has waited
	crashed func(*Process, *Crash)                        // told of an accident
	changed func()                                        // told after a restart

	change sync.Mutex // held while it is started or stopped on request

	mu      sync.Mutex
	part    part // of its next start
	stopped bool // on request, so that it stays away
	running *local.Process
	unasked *local.Process // whose end would be an accident
	watches *sync.WaitGroup
}

// Crash is the error of a process that ended although nobody asked it to.
type Crash struct {
	Process string
	Log     string
	Last    string // the last lines of its log
	Cause   error  // nil: it ended with exit status 0
}

func (c *Crash) Error() string {
	how := "ended by itself"
	if c.Cause != nil {
		how = "died (" + c.Cause.Error() + ")"
	}
	return fmt.Sprintf("%s %s; its log, %s, ends with\n%s", c.Process, how, c.Log, c.Last)
}

func (c *Crash) Unwrap() error { return c.Cause }

// PID is the process's id; zero while it does not run, or when it belongs to somebody else.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running == nil {
		return 0
	}
	select {
	case <-p.running.Done():
		return 0
	default:
		return p.running.PID()
	}
}

// Kill9 ends the process by SIGKILL, as a crash of the machine would, and returns when it is gone. It
// stays away until [Process.Restart].
func (p *Process) Kill9() {
	if running := p.forgive(); running != nil {
		running.Kill()
	}
}

// End sends the process a signal that ends it, such as SIGQUIT, by which PostgreSQL stops as if the power had
// failed, and returns when it is gone; after ten seconds by SIGKILL. It stays away until [Process.Restart].
func (p *Process) End(signal syscall.Signal) error {
	running := p.forgive()
	if running == nil {
		return nil
	}
	if err := running.SignalAlone(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end %s by %s: %w", p.Name, signal, err)
	}
	select {
	case <-running.Done():
	case <-time.After(10 * time.Second):
		running.Kill()
	}
	return nil
}

// Pause stops the process by SIGSTOP, until [Process.Continue]. It keeps its connections, and answers nothing. Of
// PostgreSQL that is the process that lets connections in; what is connected goes on.
func (p *Process) Pause() error { return p.signal(syscall.SIGSTOP) }

// Continue lets a process go on that was stopped by [Process.Pause].
func (p *Process) Continue() error { return p.signal(syscall.SIGCONT) }

func (p *Process) signal(signal syscall.Signal) error {
	p.mu.Lock()
	running := p.running
	p.mu.Unlock()
	if running == nil {
		return fmt.Errorf("send %s to %s: it is not running", signal, p.Name)
	}
	if err := running.SignalAlone(signal); err != nil {
		return fmt.Errorf("send %s to %s: %w", signal, p.Name, err)
	}
	return nil
}

// Excused does something to the process that may end it, without that being an accident, and reports whether it
// has. One that has ended stays away until [Process.Restart].
func (p *Process) Excused(do func() error) (ended bool, err error) {
	p.mu.Lock()
	running := p.running
	p.unasked = nil
	p.mu.Unlock()
	if running == nil {
		return true, do()
	}
	err = do()
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-running.Done():
		p.running = nil
		return true, err
	default:
		// From here on its end is an accident again. Who watches it asks under the same lock.
		p.unasked = running
		return false, err
	}
}

// Stop asks the process to end in order and returns when it is gone. It stays away until
// [Process.Restart].
func (p *Process) Stop(ctx context.Context) error {
	if running := p.forgive(); running != nil {
		return running.Stop(ctx)
	}
	return nil
}

// Restart starts the process again after Kill9 or Stop, and waits until it is ready.
func (p *Process) Restart(ctx context.Context) error {
	p.mu.Lock()
	alive := p.unasked != nil
	p.mu.Unlock()
	if alive {
		return fmt.Errorf("restart %s: it is running: stop it first", p.Name)
	}
	if err := p.run(ctx); err != nil {
		return err
	}
	p.changed()
	return nil
}

// forgive returns the running process, whose end is no accident from now on.
func (p *Process) forgive() *local.Process {
	p.mu.Lock()
	defer p.mu.Unlock()
	running := p.running
	p.running, p.unasked = nil, nil
	return running
}

// run starts the process and waits until it is ready.
func (p *Process) run(ctx context.Context) error {
	from := logSize(p.Log)
	started, err := p.start(ctx)
	if err != nil {
		return err
	}
	if started == nil {
		return nil // a server that was there before the lab
	}
	p.mu.Lock()
	p.running, p.unasked, p.stopped = started, started, false
	p.mu.Unlock()
	p.watches.Go(func() { p.watch(started, from) })

	if p.probe == "" {
		return nil
	}
	return p.awaitReady(ctx, started, from)
}

// watch waits for the end of a process and says so if nobody had asked for it.
func (p *Process) watch(process *local.Process, from int64) {
	<-process.Done()
	p.mu.Lock()
	accident := p.unasked == process
	if accident {
		p.running, p.unasked = nil, nil
	}
	p.mu.Unlock()
	if accident {
		p.crashed(p, p.crash(process, from))
	}
}

func (p *Process) crash(process *local.Process, from int64) *Crash {
	return &Crash{Process: p.Name, Log: p.Log, Last: lastLines(p.Log, from), Cause: process.Err()}
}

func (p *Process) awaitReady(ctx context.Context, process *local.Process, from int64) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	var said string // the last that the process answered
	for {
		answer, err := ask(ctx, p.probe)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			said = strings.TrimSpace(err.Error() + " " + answer)
		}
		select {
		case <-process.Done():
			return p.crash(process, from)
		case <-ctx.Done():
			// A crash elsewhere is the better answer than that the time is over.
			if cause := context.Cause(ctx); !errors.Is(cause, context.DeadlineExceeded) {
				return cause
			}
			return fmt.Errorf("%s did not get ready in time: %s; its log, %s, ends with\n%s",
				p.Name, said, p.Log, lastLines(p.Log, from))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// ask returns nil once a probe answers 200, otherwise the reason and what the process said.
func ask(ctx context.Context, probe string) (answer string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, probe, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s", probe, response.Status)
	}
	return strings.TrimSpace(string(body)), err
}

func logSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// lastLines are the last five lines of a log after an offset, of its last four kilobytes at most.
func lastLines(path string, from int64) string {
	const lines, most = 5, 4096
	file, err := os.Open(path)
	if err != nil {
		return "(" + err.Error() + ")"
	}
	defer file.Close()
	content, err := io.ReadAll(io.NewSectionReader(file, max(from, logSize(path)-most), most))
	if err != nil {
		return "(" + err.Error() + ")"
	}
	all := strings.Split(strings.TrimSpace(string(content)), "\n")
	if all[0] == "" {
		return "(nothing)"
	}
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
