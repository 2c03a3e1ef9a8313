package overload

import (
	"sync/atomic"
	"time"
)

// window is the part of a phase that counts as goodput: from when the shop is as full as it stays, until the last is asked.
// What was begun before it and ends in it stands for what begins in it and ends later. So an answer that takes a second
// counts as much as one that takes a millisecond, in a closed loop and in an open one alike.
type window struct {
	where    *place
	began    time.Time
	from, to time.Duration // since then
	computed [2]atomic.Int64
	timers   [2]*time.Timer
}

func (p *place) open(from, to time.Duration) *window {
	w := &window{where: p, began: time.Now(), from: from, to: to}
	for i, at := range []time.Duration{from, to} {
		w.timers[i] = time.AfterFunc(at, func() { w.computed[i].Store(int64(computed())) })
	}
	return w
}

// now says whether an answer that has come this moment counts.
func (w *window) now() bool {
	at := time.Since(w.began)
	return w.from <= at && at < w.to
}

// left is how long it was, less the part that the customers took of the shop's processors.
func (w *window) left() time.Duration {
	for _, timer := range w.timers {
		timer.Stop()
	}
	return w.where.left(time.Duration(w.computed[1].Load()-w.computed[0].Load()), w.to-w.from)
}
