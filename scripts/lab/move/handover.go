package move

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"banyan/scripts/lab/ladder"
	"banyan/scripts/lab/up"
)

// The times of a handover. Customers wait for all of it together, so the gateways let go by themselves when it takes longer
// than it may.
const (
	holdTime     = 6 * time.Second         // until the gateways let go by themselves
	drainTime    = 3200 * time.Millisecond // for requests under way to be answered: a checkout answers within 3 s
	othersTime   = time.Second             // of it, at least, for what is no checkout
	stopTime     = 3 * time.Second         // for a process to end before it is killed
	quietTime    = 2 * time.Second         // for the service to hear the last events, on the way back
	startMargin  = time.Second             // of the hold that is left for the start
	tries        = 5                       // when requests under way do not end in time
	betweenTries = 10 * time.Second
	lookAround   = 3 * time.Second // before and after, to compare what customers notice
)

// errUnderWay says that a hold was let go because requests took too long. Nothing has happened.
var errUnderWay = errors.New("requests that were under way did not end in time")

// direction is what differs between the switch and the way back.
type direction struct {
	back     bool
	owner    string  // of the area afterwards
	to       up.Step // where the side stands afterwards
	name     string  // of the command
	cutOver  func(ctx context.Context, within time.Duration) error
	mayStart func(ctx context.Context) error // what has to be true before anybody waits; nil error: go
}

func (m *Move) forth() direction {
	return direction{owner: m.area, to: m.step, name: "switch", cutOver: m.copier.CutOver, mayStart: m.copier.CheckCutOver}
}

func (m *Move) back() direction {
	return direction{back: true, owner: ladder.Monolith, to: up.Ladder[m.step.Number-1], name: "rollback", cutOver: m.copier.Rollback, mayStart: m.copier.CheckRollback}
}

// Switch hands a copied area over to its service. It does nothing if that was done.
func (m *Move) Switch(ctx context.Context) error {
	switch m.stage {
	case ladder.StageCopied:
		return m.handOver(ctx, m.forth())
	case ladder.StageCutOver:
		m.say("%s is switched already", m.area)
		return nil
	case ladder.StageFinalizing, ladder.StageFinalized:
		m.say("%s is finalized already", m.area)
		return nil
	}
	return &StageError{Area: m.area, Stage: m.stage, Wanted: "switch"}
}

// Rollback hands a switched area back to the monolith, with all that was written since. It does nothing if the monolith
// has it.
func (m *Move) Rollback(ctx context.Context) error {
	switch m.stage {
	case ladder.StageCutOver:
		return m.handOver(ctx, m.back())
	case ladder.StageCopied:
		m.say("%s is with the monolith already", m.area)
		return nil
	}
	return &StageError{Area: m.area, Stage: m.stage, Wanted: "rollback"}
}

// handOver does all that no customer has to wait for, and then tries to hold them as briefly as possible.
func (m *Move) handOver(ctx context.Context, d direction) error {
	if err := m.before(ctx, d); err != nil {
		return err
	}
	for try := 1; ; try++ {
		h, err := m.attempt(ctx, d)
		h.Tries = try
		if err == nil {
			return m.after(ctx, h)
		}
		// Whether a transaction was committed whose answer was lost, the data know.
		if again := m.refresh(ctx); again == nil && m.owner == d.owner {
			m.say("%s changed hands all the same: %v", m.area, err)
			return nil
		}
		if !errors.Is(err, errUnderWay) || try == tries {
			return fmt.Errorf("%s %s: %w; nothing was handed over, and customers are served as before", d.name, m.area, err)
		}
		m.say("%v; customers are served as before; try %d of %d follows in %s", err, try+1, tries, betweenTries)
		if err := m.catchUpDuring(ctx, betweenTries); err != nil {
			return err
		}
	}
}

// before makes sure that the switch will work, as far as that can be known while everything is at work.
func (m *Move) before(ctx context.Context, d direction) error {
	if !d.back {
		// After a rollback, what events had kept is derived again.
		if err := m.backfill(ctx, Pace{}); err != nil {
			return err
		}
		if err := m.standBy(ctx); err != nil {
			return err
		}
	}
	if err := d.mayStart(ctx); err != nil {
		return fmt.Errorf("%s %s: %w", d.name, m.area, err)
	}
	if err := m.rehearse(ctx, d); err != nil {
		return err
	}
	if err := m.catchUp(ctx); err != nil {
		return err
	}
	return m.verify(ctx)
}

// rehearse starts the trunk as it will be, beside the one that works, and sees it get ready: what is wrong with its
// environment shows now, and not while customers wait.
func (m *Move) rehearse(ctx context.Context, d direction) error {
	if d.to.Number == up.LastStep {
		return nil
	}
	return m.during(ctx, "rehearse the trunk", func(*Stage) error {
		order := up.StartOrder{Name: up.Trunk, Step: d.to.Number, Standby: true, As: rehearsal}
		if _, err := m.control.Start(ctx, order); err != nil {
			return err
		}
		_, err := m.control.Stop(ctx, rehearsal, stopTime)
		return err
	})
}

// attempt is the part for which customers wait. Whatever goes wrong in it, the processes, the routes and the holds are
// brought back to what the data say.
func (m *Move) attempt(ctx context.Context, d direction) (h Handover, err error) {
	h = Handover{Back: d.back, At: time.Now().UTC()}
	h.Before = between(m.watch.at(time.Now().Add(-lookAround)), m.watch.now(ctx))
	began := time.Now()
	defer func() {
		if err != nil {
			// Also when ctx has ended: customers wait.
			if _, back := m.control.Converge(context.WithoutCancel(ctx)); back != nil {
				err = errors.Join(err, fmt.Errorf("bring the processes back: %w; run the command again", back))
			}
		}
	}()

	m.say("holding %d routes at %d gateways", len(m.step.Held()), len(m.gates))
	if err := m.hold(ctx); err != nil {
		return h, err
	}
	h.Drained = time.Since(began).Seconds()

	m.say("stopping the trunk and %s", m.area)
	at := time.Now()
	if h.Killed, err = m.stopBoth(ctx, d); err != nil {
		return h, err
	}
	h.Stopped = time.Since(at).Seconds()

	m.say("handing over")
	at = time.Now()
	if err := d.cutOver(ctx, max(time.Until(m.heldUntil)-startMargin, 100*time.Millisecond)); err != nil {
		return h, err
	}
	h.Handed = time.Since(at).Seconds()

	m.say("routing and starting")
	at = time.Now()
	if err := m.route(ctx, d.to); err != nil {
		return h, err
	}
	if err := m.startBoth(ctx, d); err != nil {
		return h, err
	}
	h.Started = time.Since(at).Seconds()

	if h.Routes, err = m.letGo(ctx); err != nil {
		return h, err
	}
	h.Pause = time.Since(began).Seconds()
	m.say("let go after %.0f ms", 1000*h.Pause)
	return h, nil
}

// after waits for what customers notice afterwards, and keeps the record.
func (m *Move) after(ctx context.Context, h Handover) error {
	if err := pause(ctx, time.Second); err != nil {
		return err
	}
	h.During = between(m.watch.at(h.At), m.watch.now(ctx))
	from := m.watch.last()
	if err := pause(ctx, lookAround); err != nil {
		return err
	}
	h.After = between(from, m.watch.now(ctx))
	m.record.Handovers = append(m.record.Handovers, h)
	if err := errors.Join(m.record.write(), m.refresh(ctx)); err != nil || !h.Back {
		return err
	}
	// The foreign keys that came back are looked through now that nobody waits; and the service stands by, as before the switch.
	if err := m.during(ctx, "validate", func(*Stage) error { return m.copier.Validate(ctx) }); err != nil {
		return err
	}
	return m.standBy(ctx)
}

// hold has all gateways hold the routes and waits until nothing of these is under way. Checkouts are held first: with a slow
// card one takes seconds, and nobody else has to wait for it meanwhile.
// rehearsal is the name of a trunk that is tried.
const rehearsal = "rehearsal"

func (m *Move) start(ctx context.Context, name string, step int, standby bool) error {
	_, err := m.control.Start(ctx, up.StartOrder{Name: name, Step: step, Standby: standby})
	return err
}

// idle waits until every gateway says that none of the held requests is under way.
// atAll asks all gateways at once. One that can't be asked is an error: it may be serving customers.
// stopBoth ends the trunk and the service. On the way back the service outlives the trunk, to hear its last events.
func (m *Move) stopBoth(ctx context.Context, d direction) (killed bool, err error) {
	routed := []string{up.Trunk} // what the gateways have connections to
	if d.back {
		routed = []string{up.Trunk, m.area}
		if m.step.Number == up.LastStep {
			routed = []string{m.area}
		}
	}
	for _, name := range routed {
		if err := m.closeIdle(ctx, name); err != nil {
			return false, err
		}
	}
	stop := func(name string) error {
		k, err := m.control.Stop(ctx, name, stopTime)
		if k {
			m.say("%s did not end within %s, and was killed", name, stopTime)
		}
		killed = killed || k
		return err
	}
	if d.back {
		if m.step.Number < up.LastStep {
			if err := stop(up.Trunk); err != nil {
				return killed, err
			}
			if err := m.quiet(ctx, quietTime); err != nil {
				return killed, err
			}
		}
		return killed, stop(m.area)
	}
	var both sync.WaitGroup
	var problems [2]error
	for i, name := range []string{up.Trunk, m.area} {
		both.Go(func() { problems[i] = stop(name) })
	}
	both.Wait()
	return killed, errors.Join(problems[:]...)
}

// closeIdle has the gateways let go of a process, so that it need not wait for them when it stops.
// route writes down where the side stands and gives the gateways their new table. They go on holding: should the tool die
// now, a hold must not end on old routes with a new trunk behind them.
// startBoth starts the new trunk, where there is one, and the service: at work after a switch, standing by after a
// rollback.
func (m *Move) startBoth(ctx context.Context, d direction) error {
	starting, ctx := errgroup.WithContext(ctx)
	if d.to.Number < up.LastStep {
		starting.Go(func() error { return m.start(ctx, up.Trunk, d.to.Number, false) })
	}
	if d.back {
		return starting.Wait() // the service stands by later; nobody has to wait for it
	}
	starting.Go(func() error { return m.start(ctx, m.area, d.to.Number, false) })
	return starting.Wait()
}

// letGo ends the hold, and says what it did to each route, over all gateways.
