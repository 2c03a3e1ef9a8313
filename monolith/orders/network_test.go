package orders

import (
	"context"

	"pgregory.net/rapid"
)

// network is how a call to a far neighbour goes: usually well.
func (w *world) network(_ context.Context, deliver func() error) error {
	return w.goesSomehow(deliver, "refused", "refused")
}

// processor is how a call to the card processor goes. Payments takes the refusal of its
// only attempt at its word.
func (w *world) processor(_ context.Context, deliver func() error) error {
	return w.goesSomehow(deliver, "not charged", "not charged")
}

func (w *world) goesSomehow(deliver func() error, no ...string) error {
	if !w.shaky {
		return deliver()
	}
	ways := append([]string{"", "", "", "meanwhile", "meanwhile", "meanwhile", "request lost", "answer lost", "given up on", "twice"}, no...)
	switch rapid.SampledFrom(ways).Draw(w.t, "network") {
	case "not charged":
		return ErrRefused
	case "request lost":
		return errLost
	case "answer lost":
		_ = deliver()
		return errLost
	case "given up on":
		w.late = append(w.late, func() { _ = deliver() })
		return errLost
	case "refused": // once in a while by a neighbour that has done it, or is about to
		switch rapid.SampledFrom([]string{"", "done", "late"}).Draw(w.t, "and yet") {
		case "done":
			_ = deliver()
		case "late":
			w.late = append(w.late, func() { _ = deliver() })
		}
		return rapid.SampledFrom([]error{errNo, errNever, errTooMuch, errAgainst}).Draw(w.t, "refusal")
	case "twice":
		err := deliver()
		w.late = append(w.late, func() { _ = deliver() })
		return err
	case "meanwhile":
		err := deliver()
		w.meanwhile()
		return err
	}
	return deliver()
}

// meanwhile is what others do while somebody waits for an answer.
func (w *world) meanwhile() {
	if w.nested {
		return
	}
	w.nested, w.busy = true, 1-w.busy
	defer func() { w.nested, w.busy = false, 1-w.busy }()
	switch rapid.SampledFrom([]string{"put", "check out", "retry", "retry", "cancel", "sweep", "sweep", "event"}).Draw(w.t, "meanwhile") {
	case "put":
		w.put()
	case "check out":
		w.checkOut()
	case "retry":
		w.retry()
	case "cancel":
		w.cancel()
	case "sweep":
		w.sweep()
	case "event":
		w.event()
	}
}
