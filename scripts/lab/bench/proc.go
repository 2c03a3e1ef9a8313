package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is what /proc counts CPU time in: USER_HZ, which is 100 on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// procTimes are a process's CPU times.
type procTimes struct {
	own      time.Duration
	children time.Duration // of those that have ended
}

// readTimes reads /proc/<pid>/stat.
func readTimes(pid int) (procTimes, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return procTimes{}, err
	}
	return parseTimes(content)
}

// parseTimes reads the fields after the command's name, which stands in brackets and may hold anything.
func parseTimes(stat []byte) (procTimes, error) {
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 15 {
		return procTimes{}, fmt.Errorf("a line of %d fields is no /proc/<pid>/stat", len(fields))
	}
	var ticks [4]time.Duration // utime, stime, cutime, cstime: fields 14 to 17
	for i := range ticks {
		n, err := strconv.ParseInt(string(fields[11+i]), 10, 64)
		if err != nil {
			return procTimes{}, fmt.Errorf("read /proc/<pid>/stat: %w", err)
		}
		ticks[i] = time.Duration(n) * tick
	}
	return procTimes{own: ticks[0] + ticks[1], children: ticks[2] + ticks[3]}, nil
}

// machineTimes are what all CPUs together have spent since the start: working, and taken away by the host of a
// virtual machine.
type machineTimes struct{ busy, stolen time.Duration }

func readMachine() (machineTimes, error) {
	content, err := os.ReadFile("/proc/stat")
	if err != nil {
		return machineTimes{}, err
	}
	return parseMachine(content)
}

// parseMachine reads the first line: cpu, user, nice, system, idle, iowait, irq, softirq, steal.
func parseMachine(stat []byte) (machineTimes, error) {
	line, _, _ := strings.Cut(string(stat), "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return machineTimes{}, fmt.Errorf("%q is not how /proc/stat begins", line)
	}
	spent := func(field int) time.Duration {
		n, _ := strconv.ParseInt(fields[field], 10, 64)
		return time.Duration(n) * tick
	}
	return machineTimes{
		busy:   spent(1) + spent(2) + spent(3) + spent(6) + spent(7),
		stolen: spent(8),
	}, nil
}

// generatorTime is the CPU time of this process.
func generatorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// memory is a process's resident memory in bytes. The proportional set size counts a page that n processes
// share as a nth for each, so that the sum over processes is what they take together; it may need the right to
// look into another user's process. The plain one counts shared pages for everybody.
func memory(pid int) (bytes int64, proportional bool, err error) {
	if content, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid)); err == nil {
		if kb, found := kilobytes(string(content), "Pss:"); found {
			return kb * 1024, true, nil
		}
	}
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, false, err
	}
	kb, found := kilobytes(string(content), "VmRSS:")
	if !found {
		return 0, false, fmt.Errorf("/proc/%d/status does not tell the resident memory", pid)
	}
	return kb * 1024, false, nil
}

// kilobytes finds a line such as "Pss:   1234 kB".
func kilobytes(text, name string) (int64, bool) {
	for line := range strings.Lines(text) {
		rest, found := strings.CutPrefix(line, name)
		if !found {
			continue
		}
		kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		return kb, err == nil
	}
	return 0, false
}
