// Package gauge reads what processes tell about themselves: their metrics, and in /proc what the kernel counts for them.
package gauge
