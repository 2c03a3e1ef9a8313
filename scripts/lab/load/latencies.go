package load

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// longest is the longest latency that is kept; what takes longer is kept as that.
const longest = time.Minute

// Latencies is a histogram of microseconds, exact to one in a thousand. The zero value is empty. One goroutine at a time may
// use it.
type Latencies struct {
	// Coarse makes it exact to one in a hundred, in a tenth of the memory: for where there are many.
	Coarse bool
	hdr    *hdrhistogram.Histogram // nil while it is empty
}

func (l *Latencies) histogram() *hdrhistogram.Histogram {
	if l.hdr == nil {
		digits := 3
		if l.Coarse {
			digits = 2
		}
		l.hdr = hdrhistogram.New(1, longest.Microseconds(), digits)
	}
	return l.hdr
}

// Took adds one.
func (l *Latencies) Took(d time.Duration) {
	_ = l.histogram().RecordValue(min(max(d, time.Microsecond), longest).Microseconds()) // always in range
}

// Add adds all of another's.
func (l *Latencies) Add(other *Latencies) {
	if other.hdr != nil {
		l.histogram().Merge(other.hdr)
	}
}

// Count is how many there are.
func (l *Latencies) Count() int64 {
	if l.hdr == nil {
		return 0
	}
	return l.hdr.TotalCount()
}

// Percentile is the latency that p per cent do not exceed; zero if there are none.
func (l *Latencies) Percentile(p float64) time.Duration {
	if l.hdr == nil {
		return 0
	}
	return time.Duration(l.hdr.ValueAtQuantile(p)) * time.Microsecond
}

// Mean of all; zero if there are none.
func (l *Latencies) Mean() time.Duration {
	if l.hdr == nil {
		return 0
	}
	return time.Duration(l.hdr.Mean() * float64(time.Microsecond))
}

// Encode writes them in HdrHistogram's format V2, compressed, as base64.
func (l *Latencies) Encode() ([]byte, error) {
	return l.histogram().Encode(hdrhistogram.V2CompressedEncodingCookieBase)
}
