package move

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"banyan/scripts/lab/gate"
	"banyan/scripts/lab/ladder"
	"banyan/scripts/lab/up"
)

// The processes whose CPU time a move looks at.
const (
	processPostgres = "postgres"
	processTrunk    = up.Trunk
)

// Move is the move of one area of a running lab, and the only one of that area: a second tool is refused.
type Move struct {
	area    string
	step    up.Step // at which the area leaves
	state   *up.State
	control *up.Control
	copier  *ladder.Copier
	gates   []*gate.Gate
	watch   *watch
	record  *Record
	out     io.Writer

	owner     string    // of the area
	stage     string    // of its move; empty: it has not begun
	heldUntil time.Time // when the gateways let go by themselves
	said      time.Time // when progress was told last
	began     time.Time
}

// Open takes the area's move over, and brings the lab to what the data say. Close it afterwards.
func Open(ctx context.Context, state *up.State, area string, out io.Writer) (_ *Move, err error) {
	step, err := stepOf(area)
	if err != nil {
		return nil, err
	}
	if err := movable(state); err != nil {
		return nil, err
	}
	m := &Move{area: area, step: step, state: state, control: state.Control(), out: out, began: time.Now()}
	if m.record, err = ReadRecord(state.Dir, area, step.Number); err != nil {
		return nil, err
	}
	if m.copier, err = ladder.TryOpen(ctx, state.Databases[up.Services], area); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = m.copier.Close(context.WithoutCancel(ctx))
		}
	}()
	if err := m.converge(ctx); err != nil {
		return nil, err
	}
	if err := m.refresh(ctx); err != nil {
		return nil, err
	}
	at := gateways(m.state)
	for _, url := range at {
		m.gates = append(m.gates, gate.At(url))
	}
	m.watch = newWatch(ctx, at, m.pids)
	return m, nil
}

// Close lets go of the area. A move that is under way can be taken up again.
func (m *Move) Close(ctx context.Context) error {
	m.watch.close()
	return m.copier.Close(context.WithoutCancel(ctx))
}

// gateways are the ops ports of all that customers may come through.
func gateways(state *up.State) []string {
	var all []string
	for _, p := range state.Processes {
		if up.ServiceOf(p.Name) == "gateway" {
			all = append(all, p.OpsURL)
		}
	}
	return all
}

// UseError is a command that does not fit the lab, or has an argument that there is not.
type UseError struct{ text string }

func (e *UseError) Error() string { return e.text }

// movable returns an error if no area of this lab can move.
func movable(state *up.State) error {
	switch {
	case state.GatewayURL == "":
		return &UseError{"this lab runs the monolith alone, with --only: areas move out of the trunk behind the gateway. Start it without --only"}
	case state.Step == 0:
		return &UseError{"this lab is at step 0, and there is no gateway yet that could hold requests while an area moves: " +
			"stop it and start lab up --step 1"}
	}
	return nil
}

// stepOf is the step at which an area leaves.
func stepOf(area string) (up.Step, error) {
	var names []string
	for _, step := range up.Ladder {
		if step.Area == area && area != "" {
			return step, nil
		}
		if step.Area != "" {
			names = append(names, step.Area)
		}
	}
	return up.Step{}, &UseError{fmt.Sprintf("there is no area %q: it is one of %s", area, strings.Join(names, ", "))}
}

// converge brings processes, routes and holds to what the data say, and says what was not so.
func (m *Move) converge(ctx context.Context) error {
	done, err := m.control.Converge(ctx)
	for _, sentence := range done {
		m.say("%s", sentence)
	}
	if err != nil {
		return fmt.Errorf("bring the lab to what the data say: %w", err)
	}
	return nil
}

// refresh reads anew where the area stands, and which processes run.
func (m *Move) refresh(ctx context.Context) (err error) {
	if m.owner, m.stage, err = m.copier.Standing(ctx); err != nil {
		return err
	}
	if m.state, err = up.Running(m.state.Dir); err != nil {
		return err
	}
	return nil
}

func (m *Move) pids() map[string]int {
	pids := map[string]int{}
	for _, p := range m.state.Processes {
		if p.PID > 0 && (p.Name == processPostgres || p.Name == processTrunk) {
			pids[p.Name] = p.PID
		}
	}
	return pids
}

func (m *Move) urlOf(name string) string {
	for _, p := range m.state.Processes {
		if p.Name == name {
			return p.URL
		}
	}
	return ""
}

// table is the gateway's, as the lab has written it.
func (m *Move) table() ([]byte, error) {
	return os.ReadFile(filepath.Join(m.state.Dir, "routes.json"))
}

// say tells a person what is going on, with the time since the tool began.
func (m *Move) say(format string, args ...any) {
	fmt.Fprintf(m.out, "%6.1fs  %s\n", time.Since(m.began).Seconds(), fmt.Sprintf(format, args...))
}

// during does a stage, and records how long it took and what customers noticed meanwhile.
func (m *Move) during(ctx context.Context, name string, do func(*Stage) error) error {
	s := Stage{Name: name, At: time.Now().UTC()}
	from := m.watch.now(ctx)
	m.say("%s …", name)
	err := do(&s)
	s.Seconds = time.Since(s.At).Seconds()
	s.Customers = between(from, m.watch.now(ctx))
	if err != nil {
		s.Failed = err.Error()
	}
	m.record.Stages = append(m.record.Stages, s)
	return errors.Join(err, m.record.write())
}

// pause waits.
func pause(ctx context.Context, wait time.Duration) error {
	if wait <= 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(wait):
		return nil
	}
}

// A move is paused by a file in the lab's folder: the tool that copies is another process than the one that pauses it.
func pauseFile(dir, area string) string { return filepath.Join(dir, "moves", area+".paused") }

func paused(dir, area string) bool {
	_, err := os.Stat(pauseFile(dir, area))
	return err == nil
}

// Pause has the copier of an area rest after its next range. Triggers go on noting.
func Pause(dir, area string) error {
	if _, err := stepOf(area); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "moves"), 0o755); err != nil {
		return err
	}
	return os.WriteFile(pauseFile(dir, area), nil, 0o644)
}

// Resume lets it go on.
func Resume(dir, area string) error {
	if _, err := stepOf(area); err != nil {
		return err
	}
	return resume(dir, area)
}

func resume(dir, area string) error {
	if err := os.Remove(pauseFile(dir, area)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
