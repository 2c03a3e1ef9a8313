package overload

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// eachThread does something for every thread of a process. One that has ended meanwhile is no error.
func eachThread(pid int, do func(thread int) error) error {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return err
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			return err
		}
		if err := do(id); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("thread %d of process %d: %w", id, pid, err)
		}
	}
	return nil
}

// pin lets all threads of a process, and what they start later, run on these processors only.
func pin(pid int, processors ...int) error {
	var set unix.CPUSet
	for _, p := range processors {
		set.Set(p)
	}
	return eachThread(pid, func(thread int) error { return unix.SchedSetaffinity(thread, &set) })
}

// prefer sets the priority of all threads of a process, and of what they start later. Only root may hurry one; a generator
// that is not preferred may turn out to be too slow, which the judge says.
func prefer(pid, nice int) {
	_ = eachThread(pid, func(thread int) error { return unix.Setpriority(unix.PRIO_PROCESS, thread, nice) })
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

// computed is for how long this process has used a processor.
func computed() time.Duration {
	var use unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &use); err != nil {
		return 0
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// period is that of a quota, the one that containers get.
const period = 100 * time.Millisecond

// newQuota makes a control group for so many processors, in the first version's hierarchy or in the second's.
func newQuota(cpus float64) (group string, err error) {
	name := fmt.Sprintf("banyan-overload-%d", os.Getpid())
	quota, whole := int64(cpus*float64(period.Microseconds())), period.Microseconds()
	files := map[string]string{"cpu.max": fmt.Sprintf("%d %d", quota, whole)}
	group = filepath.Join("/sys/fs/cgroup", name)
	if _, err := os.Stat("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"); err == nil {
		files = map[string]string{"cpu.cfs_period_us": strconv.FormatInt(whole, 10), "cpu.cfs_quota_us": strconv.FormatInt(quota, 10)}
		group = filepath.Join("/sys/fs/cgroup/cpu", name)
	}
	if err := os.Mkdir(group, 0o755); err != nil {
		return "", err
	}
	for file, value := range files {
		if err := os.WriteFile(filepath.Join(group, file), []byte(value), 0o644); err != nil {
			return "", errors.Join(err, dissolve(group))
		}
	}
	return group, nil
}

func join(group string, pid int) error {
	err := os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0o644)
	if errors.Is(err, unix.ESRCH) {
		return os.ErrNotExist
	}
	return err
}

// dissolve removes a group once the last process in it has ended.
func dissolve(group string) error {
	var err error
	for range 50 {
		if err = os.Remove(group); err == nil || os.IsNotExist(err) {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}
