package drive

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
	own, err := readStat(pid)
	if err != nil {
		return 0, fmt.Errorf("read the CPU time of process %d: %w", pid, err)
	}
	sum := own.used + own.reaped
	children, err := Children(pid)
	for _, child := range children {
		if s, err := readStat(child); err == nil { // it may have ended just now
			sum += s.used + s.reaped
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
		if s, err := readStat(id); err == nil {
			children[s.parent] = append(children[s.parent], id)
		}
	}
	var all []int
	for queue := children[pid]; len(queue) > 0; queue = queue[1:] {
		all = append(all, queue[0])
		queue = append(queue, children[queue[0]]...)
	}
	return all, nil
}

type stat struct {
	parent       int
	used, reaped time.Duration
}

func readStat(pid int) (stat, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, err
	}
	return parseStat(content)
}

// parseStat reads the fields after the command's name, which stands in brackets and may hold anything.
func parseStat(content []byte) (stat, error) {
	fields := bytes.Fields(content[bytes.LastIndexByte(content, ')')+1:])
	if len(fields) < 15 {
		return stat{}, fmt.Errorf("a line of %d fields is no /proc/<pid>/stat", len(fields))
	}
	numbers := make([]int64, 5) // ppid; utime, stime, cutime, cstime
	for i, at := range []int{1, 11, 12, 13, 14} {
		n, err := strconv.ParseInt(string(fields[at]), 10, 64)
		if err != nil {
			return stat{}, fmt.Errorf("read /proc/<pid>/stat: %w", err)
		}
		numbers[i] = n
	}
	return stat{
		parent: int(numbers[0]),
		used:   time.Duration(numbers[1]+numbers[2]) * tick,
		reaped: time.Duration(numbers[3]+numbers[4]) * tick,
	}, nil
}
