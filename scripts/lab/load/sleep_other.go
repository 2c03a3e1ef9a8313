//go:build !linux

package load

import "time"

// sleep waits.
func sleep(d time.Duration) { time.Sleep(d) }
