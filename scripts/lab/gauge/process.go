package gauge

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// tick is what /proc counts CPU time in: USER_HZ, which is 100 on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// CPU is the time that a process and all its children, those that have ended included, have used so far.
func CPU(pid int) (time.Duration, error) {
	own, err := ReadProcess(pid)
	if err != nil {
		return 0, fmt.Errorf("read the CPU time of process %d: %w", pid, err)
	}
	sum := own.Used + own.Reaped
	children, err := Children(pid)
	for _, child := range children {
		if s, err := ReadProcess(child); err == nil { // it may have ended just now
			sum += s.Used + s.Reaped
		}
	}
	return sum, err
}

// Children are the processes that a process and its children have started and that are still there.
func Children(pid int) ([]int, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	children := map[int][]int{}
	for _, file := range files {
		id, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			continue
		}
		if s, err := ReadProcess(id); err == nil {
			children[s.Parent] = append(children[s.Parent], id)
		}
	}
	var all []int
	for queue := children[pid]; len(queue) > 0; queue = queue[1:] {
		all = append(all, queue[0])
		queue = append(queue, children[queue[0]]...)
	}
	return all, nil
}

// Process is what the kernel counts for a process.
type Process struct {
	Parent int
	Used   time.Duration // CPU
	Reaped time.Duration // by its children that have ended
}

// ReadProcess reads /proc/<pid>/stat.
func ReadProcess(pid int) (Process, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Process{}, err
	}
	return parseStat(content)
}

// parseStat reads the fields after the command's name, which stands in brackets and may hold anything.
func parseStat(content []byte) (Process, error) {
	fields := bytes.Fields(content[bytes.LastIndexByte(content, ')')+1:])
	if len(fields) < 15 {
		return Process{}, fmt.Errorf("a line of %d fields is no /proc/<pid>/stat", len(fields))
	}
	numbers := make([]int64, 5) // ppid; utime, stime, cutime, cstime
	for i, at := range []int{1, 11, 12, 13, 14} {
		n, err := strconv.ParseInt(string(fields[at]), 10, 64)
		if err != nil {
			return Process{}, fmt.Errorf("read /proc/<pid>/stat: %w", err)
		}
		numbers[i] = n
	}
	return Process{
		Parent: int(numbers[0]),
		Used:   time.Duration(numbers[1]+numbers[2]) * tick,
		Reaped: time.Duration(numbers[3]+numbers[4]) * tick,
	}, nil
}
