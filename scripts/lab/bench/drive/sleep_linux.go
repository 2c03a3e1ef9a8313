package drive

import (
	"syscall"
	"time"
)

// Sleep waits more exactly than time.Sleep, which on Linux ends up to a millisecond late where nothing else is to be done:
// as long as a page takes. The last part of the wait is the system's, on a thread of its own.
func Sleep(d time.Duration) {
	const last = 2 * time.Millisecond
	end := time.Now().Add(d)
	if d > last {
		time.Sleep(d - last)
	}
	for left := time.Until(end); left > 0; left = time.Until(end) { // a signal ends it early
		wait := syscall.NsecToTimespec(int64(left))
		_ = syscall.Nanosleep(&wait, nil)
	}
}
