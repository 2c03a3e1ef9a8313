package gauge

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Machine are what all CPUs together have spent since the start: working, and taken away by the host of a
// virtual machine.
type Machine struct{ Busy, Stolen time.Duration }

// ReadMachine reads /proc/stat.
func ReadMachine() (Machine, error) {
	content, err := os.ReadFile("/proc/stat")
	if err != nil {
		return Machine{}, err
	}
	return parseMachine(content)
}

// parseMachine reads the first line: cpu, user, nice, system, idle, iowait, irq, softirq, steal.
func parseMachine(stat []byte) (Machine, error) {
	line, _, _ := strings.Cut(string(stat), "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return Machine{}, fmt.Errorf("%q is not how /proc/stat begins", line)
	}
	spent := func(field int) time.Duration {
		n, _ := strconv.ParseInt(fields[field], 10, 64)
		return time.Duration(n) * tick
	}
	return Machine{
		Busy:   spent(1) + spent(2) + spent(3) + spent(6) + spent(7),
		Stolen: spent(8),
	}, nil
}

// Memory is a process's resident memory in bytes. The proportional set size counts a page that n processes
// share as a nth for each, so that the sum over processes is what they take together; it may need the right to
// look into another user's process. The plain one counts shared pages for everybody.
func Memory(pid int) (bytes int64, proportional bool, err error) {
	if content, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid)); err == nil {
		if kb, found := Kilobytes(string(content), "Pss:"); found {
			return kb * 1024, true, nil
		}
	}
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, false, err
	}
	kb, found := Kilobytes(string(content), "VmRSS:")
	if !found {
		return 0, false, fmt.Errorf("/proc/%d/status does not tell the resident memory", pid)
	}
	return kb * 1024, false, nil
}

// Kilobytes finds a line such as "Pss:   1234 kB".
func Kilobytes(text, name string) (int64, bool) {
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
