//go:build !linux

package drive

import "time"

// Sleep waits.
func Sleep(d time.Duration) { time.Sleep(d) }
