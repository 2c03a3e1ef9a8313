package overload

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// pin lets all threads of a process, and what they start later, run on these processors only.
func pin(pid int, processors ...int) error {
	var set unix.CPUSet
	for _, p := range processors {
		set.Set(p)
	}
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return err
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(id, &set); err != nil && err != unix.ESRCH { // it may have ended
			return fmt.Errorf("pin thread %d of process %d: %w", id, pid, err)
		}
	}
	return nil
}

// allowed are the processors that this process may use.
func allowed() []int {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil
	}
	var all []int
	for p := range 1024 {
		if set.IsSet(p) {
			all = append(all, p)
		}
	}
	return all
}
