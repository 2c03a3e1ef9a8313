package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

const defaultGrace = 10 * time.Second

// Command describes a process to start.
type Command struct {
	// Name is what messages call the process.
	Name string
	// Path is the binary, looked up on PATH if it has no slash.
	Path string
	Args []string
	// Env is the whole environment, as KEY=value; nil passes this process's own.
	Env []string
	// Dir is the working directory; empty is this process's own.
	Dir string
	// Log is the file that standard output and standard error are appended to; empty discards them.
	Log string
	// User runs the process as somebody else; only root may set it.
	User *syscall.Credential
	// StopSignals are sent one after another until the process ends; none means SIGTERM.
	// SIGKILL always comes last.
	StopSignals []syscall.Signal
	// Grace is how long each stop signal may take; zero means 10 s.
	Grace time.Duration

	// lease ties the process to the holders of a named pipe instead of to this process.
	lease *lease
}

// Process is a running command. It has a process group of its own, so that Ctrl-C in a terminal
// reaches only the process that started it, which can then stop the others in the right order.
type Process struct {
	command  Command
	cmd      *exec.Cmd
	watchdog *watchdog
	done     chan struct{}
	err      error // how it ended; to be read after done

	disowned chan struct{} // closed by disown
}

// Start starts a command and its watchdog. The context bounds the start only: the process runs until
// it ends by itself, until [Process.Stop] or [Process.Kill], or until this process is gone.
func Start(ctx context.Context, command Command) (*Process, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("start %s: %w", command.Name, err)
	}
	if len(command.StopSignals) == 0 {
		command.StopSignals = []syscall.Signal{syscall.SIGTERM}
	}
	if command.Grace == 0 {
		command.Grace = defaultGrace
	}

	cmd := exec.Command(command.Path, command.Args...)
	cmd.Env = command.Env
	cmd.Dir = command.Dir
	if command.Log != "" {
		log, err := os.OpenFile(command.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return nil, fmt.Errorf("start %s: open its log: %w", command.Name, err)
		}
		defer log.Close()
		cmd.Stdout, cmd.Stderr = log, log
	}

	// The watchdog comes first and the command joins its process group while it is forked. Until it
	// has executed, the fork holds a copy of the pipe; so there is no moment at which this process
	// could die and leave a command that the watchdog does not see.
	watchdog, err := startWatchdog(command)
	if err != nil {
		return nil, fmt.Errorf("start the watchdog of %s: %w", command.Name, err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: watchdog.group(), Credential: command.User}
	if err := cmd.Start(); err != nil {
		watchdog.release()
		watchdog.wait()
		return nil, fmt.Errorf("start %s: %w", command.Name, err)
	}
	watchdog.watch(cmd.Process.Pid)

	p := &Process{
		command:  command,
		cmd:      cmd,
		watchdog: watchdog,
		done:     make(chan struct{}),
		disowned: make(chan struct{}),
	}
	if command.lease == nil {
		go p.await()
	} else {
		go p.awaitLeased()
	}
	return p, nil
}

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err says how the process ended: nil for exit status 0, and nil while it runs.
func (p *Process) Err() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

// Signal sends a signal to the process and to what it started in its group.
func (p *Process) Signal(signal syscall.Signal) error {
	select {
	case <-p.done:
		return os.ErrProcessDone
	default:
	}
	// The group's id is the watchdog's, which is still alive: it can't belong to anybody else.
	return syscall.Kill(-p.watchdog.group(), signal)
}

// SignalAlone sends a signal to the process only: SIGSTOP, say, which its watchdog must not get.
func (p *Process) SignalAlone(signal syscall.Signal) error { return p.cmd.Process.Signal(signal) }

// Kill ends the process by SIGKILL and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// Stop sends the stop signals in turn, each with its grace, and waits until the process is gone. If
// none has worked, or ctx ends first, the process is killed and that is the error. A process
// that had already ended is no error.
func (p *Process) Stop(ctx context.Context) error {
	for _, signal := range p.command.StopSignals {
		if err := p.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
			break
		}
		grace := time.NewTimer(p.command.Grace)
		select {
		case <-p.done:
			grace.Stop()
			return nil
		case <-ctx.Done():
			grace.Stop()
			p.Kill()
			return fmt.Errorf("stop %s: it was killed: %w", p.command.Name, ctx.Err())
		case <-grace.C:
		}
	}
	p.Kill()
	return fmt.Errorf("stop %s: it was killed, since it ran on for %s after each of %v",
		p.command.Name, p.command.Grace, p.command.StopSignals)
}

func (p *Process) await() {
	p.err = p.cmd.Wait()
	// Now the watchdog clears away what the process has left in its group.
	p.watchdog.release()
	p.watchdog.wait()
	close(p.done)
}

// disown gives up all interest in a leased process, which from now on is its holders' own.
func (p *Process) disown() { close(p.disowned) }

// awaitLeased asks now and then instead of blocking, since the process may well outlive this one's
// interest in it and no goroutine must be left behind then.
func (p *Process) awaitLeased() {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-p.disowned:
			return
		case <-tick.C:
		}
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(p.PID(), &status, syscall.WNOHANG, nil)
		if pid == 0 && err == nil || errors.Is(err, syscall.EINTR) {
			continue
		}
		if status != 0 {
			p.err = errors.New("exit status " + strconv.Itoa(status.ExitStatus()))
		}
		close(p.done)
		return
	}
}
