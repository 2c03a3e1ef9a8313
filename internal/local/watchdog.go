package local

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// watchdogScript reads its standard input to the end, then stops its process group. It needs nothing
// but a POSIX shell, so that it works on Linux and on macOS alike.
//
// The first line is the process to watch. Of a pipe, the end is the end. Of a named pipe (the lease) it
// only means that nobody holds it now; somebody new may come during the linger, and writes a line
// when he does. To close the door, the pipe is renamed first: whoever opened it before is a writer, for whom
// the next read waits; whoever comes later finds no pipe.
const watchdogScript = `
trap '' HUP INT QUIT TERM
signals=$1 tenths=$2 lease=$3 linger=$4
pid=
hold() {
	while read -r line; do
		pid=${pid:-$line}
	done
}
hold
while [ -n "$lease" ]; do
	sleep "$linger"
	if read -r line; then
		hold
		continue
	fi
	mv "$lease" "$lease.closing"
	read -r line || break
	mv "$lease.closing" "$lease"
	hold
done
for signal in $signals; do
	kill "-$signal" 0
	i=0
	while [ "$i" -lt "$tenths" ]; do
		kill -0 "$pid" 2>/dev/null || break 2
		sleep 0.1
		i=$((i + 1))
	done
done
[ -z "$lease" ] || rm -f "$lease.closing"
kill -KILL 0
`

// watchdog is the shell beside a process, and this process's end of the pipe it reads.
type watchdog struct {
	cmd  *exec.Cmd
	hold *held // with a lease, its own
}

func startWatchdog(command Command) (*watchdog, error) {
	signals := make([]string, len(command.StopSignals))
	for i, signal := range command.StopSignals {
		signals[i] = strconv.Itoa(int(signal))
	}
	tenths := max(1, int(command.Grace/(100*time.Millisecond)))

	var read *os.File
	var hold *held
	path, linger := "", ""
	if l := command.lease; l != nil {
		read, hold, path = l.read, l.hold, l.path
		linger = fmt.Sprintf("%.1f", l.linger.Seconds())
	} else {
		var err error
		if read, hold, err = pipe(); err != nil {
			return nil, err
		}
	}
	defer read.Close()

	cmd := exec.Command("/bin/sh", "-c", watchdogScript, "watchdog of "+command.Name,
		strings.Join(signals, " "), strconv.Itoa(tenths), path, linger)
	cmd.Dir = "/"
	cmd.Stdin = read
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		hold.Close()
		return nil, err
	}
	return &watchdog{cmd: cmd, hold: hold}, nil
}

func pipe() (*os.File, *held, error) {
	var ends [2]int
	// No fork may come between, or the child would keep the pipe open.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := syscall.Pipe(ends[:]); err != nil {
		return nil, nil, err
	}
	syscall.CloseOnExec(ends[0])
	syscall.CloseOnExec(ends[1])
	return os.NewFile(uintptr(ends[0]), "watchdog"), hold(ends[1]), nil
}

// group is the process group of the watchdog and of all it watches.
func (w *watchdog) group() int { return w.cmd.Process.Pid }

// watch tells the watchdog the process's id, by which it sees that a stop signal has worked.
func (w *watchdog) watch(pid int) { _, _ = fmt.Fprintln(w.hold, pid) }

// release lets go of the pipe; if this was the last holder, the watchdog stops its group and ends.
func (w *watchdog) release() { w.hold.Close() }

func (w *watchdog) wait() { _ = w.cmd.Wait() }
