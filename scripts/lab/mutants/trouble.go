package mutants

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"banyan/scripts/lab/up"
	"banyan/scripts/lab/wire"
)

// trouble is what happens at a kind of message.
type trouble struct {
	on    wire.Way
	kind  wire.Kind // the moment before it passes
	when  func(wire.Moment) bool
	every int // of the messages that fit, one in so many on average is met
	do    func(t *troubles, on wire.Way, m wire.Moment)
}

// runs is a transaction with a statement that contains a text.
func runs(text string) func(wire.Moment) bool {
	return func(m wire.Moment) bool {
		return slices.ContainsFunc(m.Statements, func(s string) bool { return strings.Contains(s, text) })
	}
}

// answers is a successful answer to a request.
func answers(path string) func(wire.Moment) bool {
	return func(m wire.Moment) bool { return m.Path == path && m.Status >= 200 && m.Status < 300 }
}

// about is the acknowledgement of an event.
func about(typ string) func(wire.Moment) bool {
	return func(m wire.Moment) bool { return strings.HasSuffix(m.Subject, "."+typ) }
}

// What troubles do.

// sentFirst is how long a message is held back before the process that it comes from is killed, so that what it has sent
// elsewhere before has left it.
const sentFirst = 20 * time.Millisecond

// kill ends the process at this end of the link. The message goes no further, in whichever direction.
func kill(t *troubles, on wire.Way, m wire.Moment) {
	time.Sleep(sentFirst)
	t.kill(on.From)
	t.wires.Proxy(on).CutConn(m.Conn)
}

// hold keeps the message back while others pass.
func hold(*troubles, wire.Way, wire.Moment) { time.Sleep(150 * time.Millisecond) }

// lose loses the message, and its connection.
func lose(t *troubles, on wire.Way, m wire.Moment) { t.wires.Proxy(on).CutConn(m.Conn) }

// troubles let the troubles of one load happen.
type troubles struct {
	lab   *up.Lab
	wires *wire.Net

	mu      sync.Mutex
	over    bool
	met     int
	down    map[string]bool // processes that are dead or being started
	mending sync.WaitGroup
	errs    []error
	ctx     context.Context // of the restarts
}

// begin lets them happen from now on. How many messages each lets by follows from the seed.
func begin(ctx context.Context, lab *up.Lab, w *wire.Net, all []trouble, seed uint64) *troubles {
	t := &troubles{lab: lab, wires: w, ctx: ctx, down: map[string]bool{}}
	for i, one := range all {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		left := 1 + random.IntN(one.every)
		w.Proxy(one.on).Watch(func(m wire.Moment) {
			if m.Kind != one.kind || m.Phase != wire.Before || one.when != nil && !one.when(m) {
				return
			}
			if t.turn(one, random, &left) {
				one.do(t, one.on, m)
			}
		})
	}
	return t
}

// turn says whether it is this message's turn. The dead are not killed again: what they have sent still passes.
func (t *troubles) turn(one trouble, random *rand.Rand, left *int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over || t.down[one.on.From] {
		return false
	}
	if *left--; *left > 0 {
		return false
	}
	*left = 1 + random.IntN(2*one.every-1)
	t.met++
	return true
}

// kill returns when the process is dead, and has it started again.
func (t *troubles) kill(name string) {
	t.mu.Lock()
	if t.over || t.down[name] {
		t.mu.Unlock()
		return
	}
	t.down[name] = true
	t.mending.Add(1)
	t.mu.Unlock()

	process := t.lab.Process(name)
	process.Kill9()
	go func() {
		defer t.mending.Done()
		err := process.Restart(t.ctx)
		t.mu.Lock()
		defer t.mu.Unlock()
		t.down[name] = false
		if err != nil {
			t.errs = append(t.errs, fmt.Errorf("start %s again: %w", name, err))
		}
	}()
}

// end lets nothing more happen, and returns how often something did when everything runs again.
func (t *troubles) end() (met int, err error) {
	t.mu.Lock()
	t.over = true
	t.mu.Unlock()
	t.mending.Wait()
	for _, way := range t.wires.Ways() {
		t.wires.Proxy(way).Watch(nil)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.met, errors.Join(t.errs...)
}
