package load

import (
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// timer is a timerfd(2), which the runtime waits for as for a connection: it wakes up to the tenth of a millisecond, and
// nothing is blocked meanwhile.
type timer struct {
	file *os.File
	fd   int
}

var timers sync.Pool // of *timer

// sleep waits more exactly than time.Sleep, which on Linux ends up to a millisecond late where nothing else is to be
// done: as long as a page takes.
func sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	t, _ := timers.Get().(*timer)
	if t == nil {
		fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
		if err != nil {
			time.Sleep(d)
			return
		}
		t = &timer{os.NewFile(uintptr(fd), "timer"), fd}
	}
	var expirations [8]byte
	err := unix.TimerfdSettime(t.fd, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}, nil)
	if err == nil {
		_, err = t.file.Read(expirations[:])
	}
	if err != nil {
		t.file.Close()
		time.Sleep(d)
		return
	}
	timers.Put(t)
}
