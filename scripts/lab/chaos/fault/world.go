package fault

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"time"

	"banyan/scripts/lab/up"
	"banyan/scripts/lab/wire"
)

// World is where faults are made.
type World struct {
	Lab  *up.Lab
	Side string
	Net  *Net

	// Disks are the folders of the servers that have a small disk to themselves.
	Disks map[string]string
	// Planted are the ids of the poison events, which are to end as dead letters.
	Planted []string
}

// While is what goes on while a fault lasts. It returns when the time is over.
type While func(ctx context.Context, lasts time.Duration) error

// Made is a fault that is over.
type Made struct {
	Ended time.Time // when it was mended, or when it happened
	Note  string    // what it came to, if there is something to tell
}

// Do makes a fault and mends it. A nil error means that the world is whole again.
func (w *World) Do(ctx context.Context, s Step, while While) (Made, error) {
	switch s.Kind {
	case Kill:
		return w.kill(ctx, s.Target)
	case Stop, LongStop:
		return w.pause(ctx, s, while)
	case Immediate:
		return w.immediate(ctx)
	case Backend:
		return w.terminateBackends(ctx, s)
	case BrokerAway, BrokerGone:
		return w.brokerAway(ctx, s, while)
	case TailLost:
		return w.loseTail(ctx, s)
	case Thrice:
		return w.thrice(ctx, s)
	case Poison:
		return w.poison(ctx)
	case CardsSlow, CardsFailing, CardsDumb:
		return w.cards(ctx, s, while)
	case WireSlow, WireRefused, WireOneWay:
		return w.breakWire(ctx, s, while)
	case DiskDatabase, DiskBroker:
		return w.fillDisk(ctx, s, while)
	}
	return Made{}, fmt.Errorf("nobody knows how to make %q here", s.Kind)
}

// Restart starts a process again that is gone. A database that has much to recover on a busy machine gets a second and
// a third chance to be ready in time.
func Restart(ctx context.Context, process *up.Process) (err error) {
	for range 3 {
		if err = process.Restart(ctx); err == nil || ctx.Err() != nil {
			return err
		}
		process.Kill9() // it may be there, and not ready
	}
	return err
}

// kill counts from the kill on: what starts the process again is part of it.
func (w *World) kill(ctx context.Context, name string) (Made, error) {
	process := w.Lab.Process(name)
	at := time.Now()
	process.Kill9()
	if err := Restart(ctx, process); err != nil {
		return Made{}, fmt.Errorf("start %s again: %w", name, err)
	}
	return Made{Ended: at}, nil
}

func (w *World) pause(ctx context.Context, s Step, while While) (Made, error) {
	process := w.Lab.Process(s.Target)
	pid := process.PID()
	if err := process.Pause(); err != nil {
		return Made{}, fmt.Errorf("stop %s: %w", s.Target, err)
	}
	var err error
	if s.Target == Postgres {
		err = pauseBackends(ctx, pid, syscall.SIGSTOP)
	}
	if err == nil {
		err = while(ctx, s.For)
	}
	if s.Target == Postgres {
		err = errors.Join(err, pauseBackends(context.WithoutCancel(ctx), pid, syscall.SIGCONT))
	}
	if err := process.Continue(); err != nil {
		return Made{}, fmt.Errorf("let %s go on: %w", s.Target, err)
	}
	return Made{Ended: time.Now()}, err
}

// immediate ends PostgreSQL without a checkpoint and without a word to its clients. It recovers from its log.
func (w *World) immediate(ctx context.Context) (Made, error) {
	process := w.Lab.Process(Postgres)
	at := time.Now()
	if err := process.End(syscall.SIGQUIT); err != nil {
		return Made{}, fmt.Errorf("stop PostgreSQL immediately: %w", err)
	}
	if err := Restart(ctx, process); err != nil {
		return Made{}, fmt.Errorf("start PostgreSQL again: %w", err)
	}
	return Made{Ended: at}, nil
}

func (w *World) brokerAway(ctx context.Context, s Step, while While) (Made, error) {
	process := w.Lab.Process(NATS)
	if err := process.Stop(ctx); err != nil {
		return Made{}, fmt.Errorf("stop NATS: %w", err)
	}
	if err := while(ctx, s.For); err != nil {
		return Made{}, err
	}
	at := time.Now()
	if err := Restart(ctx, process); err != nil {
		return Made{}, fmt.Errorf("start NATS again: %w", err)
	}
	return Made{Ended: at, Note: s.For.String()}, nil
}

func (w *World) cards(ctx context.Context, s Step, while While) (Made, error) {
	cards := &w.Net.Cards
	switch s.Kind {
	case CardsSlow: // some answers come in time, some do not
		cards.Delay.Store(int64(900*time.Millisecond) + rand.New(rand.NewPCG(s.Seed, 0)).Int64N(int64(time.Second)))
	case CardsFailing:
		cards.Failing.Store(true)
	case CardsDumb:
		cards.Dumb.Store(true)
	}
	waited := while(ctx, s.For)
	cards.Delay.Store(0)
	cards.Failing.Store(false)
	cards.Dumb.Store(false)
	return Made{Ended: time.Now()}, waited
}

func (w *World) breakWire(ctx context.Context, s Step, while While) (Made, error) {
	proxy := w.Net.Proxy(s.Wire)
	if proxy == nil {
		return Made{}, fmt.Errorf("there is no wire %s", s.Wire)
	}
	random := rand.New(rand.NewPCG(s.Seed, 0))
	switch s.Kind {
	case WireSlow:
		proxy.SetFault(wire.Fault{Delay: 50*time.Millisecond + time.Duration(random.IntN(250))*time.Millisecond})
	case WireRefused:
		proxy.SetFault(wire.Fault{Refuse: true})
		proxy.Cut()
	case WireOneWay:
		there := random.IntN(2) == 0
		proxy.SetFault(wire.Fault{DropRequests: there, DropAnswers: !there})
	}
	waited := while(ctx, s.For)
	proxy.SetFault(wire.Fault{})
	if s.Kind == WireOneWay {
		// What was swallowed is missing in the middle of these conversations. In a network, they would break as well.
		proxy.Cut()
	}
	return Made{Ended: time.Now()}, waited
}

// applications are the names by which the side's connections to the database are known.
func (w *World) applications() []string {
	if w.Side == up.Monolith {
		return []string{up.Monolith}
	}
	var all []string
	for _, name := range up.Processes(up.Services, w.Lab.State().Step) {
		all = append(all, name, up.SchemaOf(name)+" relay")
	}
	slices.Sort(all)
	return all
}
