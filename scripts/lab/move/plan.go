package move

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"banyan/scripts/lab/gate"
	"banyan/scripts/lab/ladder"
	"banyan/scripts/lab/up"
)

// Plan is what an extraction would do. All that only reads was run to make it, and nothing was changed.
type Plan struct {
	ladder.Preview
	Rows    int64   `json:"rows"`
	Bytes   int64   `json:"bytes"`
	Reading float64 `json:"reading_seconds"` // that it took to read them all now
	// Expected is how long the copy will take at the rate of the moves before it in this lab; 0 where there was none.
	Expected float64  `json:"expected_seconds,omitempty"`
	Held     []string `json:"held_routes"`   // while the area changes hands
	Gateways int      `json:"gateways"`      // that were asked, and answer
	Pause    float64  `json:"pause_seconds"` // the longest of the handovers before it in this lab; 0 where there was none
}

// MakePlan looks at everything that an extraction depends on.
func MakePlan(ctx context.Context, state *up.State, area string) (*Plan, error) {
	step, err := stepOf(area)
	if err != nil {
		return nil, err
	}
	if err := movable(state); err != nil {
		return nil, err
	}
	began := time.Now()
	p := &Plan{Held: step.Held()}
	if p.Preview, err = preview(ctx, state, area); err != nil {
		return nil, err
	}
	p.Reading = time.Since(began).Seconds()
	for _, t := range p.Tables {
		p.Rows += t.Rows
		p.Bytes += t.Bytes
	}
	for _, url := range gateways(state) {
		if _, err := gate.At(url).Held(ctx); err != nil {
			p.Findings = append(p.Findings, ladder.Finding{What: err.Error(), Do: "Start the gateway again: every one has to hold requests."})
			continue
		}
		p.Gateways++
	}
	if _, err := state.Control().Processes(ctx); err != nil {
		p.Findings = append(p.Findings, ladder.Finding{What: err.Error(), Do: "Start the lab again."})
	}
	return p, p.expect(state.Dir)
}

// preview is the engine's part. A schema that is not there yet is no finding: the extraction makes it.
func preview(ctx context.Context, state *up.State, area string) (ladder.Preview, error) {
	p, err := ladder.Plan(ctx, state.Databases[up.Services], area)
	var left []ladder.Finding
	for _, f := range p.Findings {
		if !f.Schema {
			left = append(left, f)
		}
	}
	p.Findings = left
	return p, err
}

// expect looks at what the moves before have taken.
func (p *Plan) expect(dir string) error {
	var rows int64
	var took float64
	for _, step := range up.Ladder {
		if step.Area == "" {
			continue
		}
		r, err := ReadRecord(dir, step.Area, step.Number)
		if err != nil {
			return err
		}
		for _, s := range r.Stages {
			if s.Name == "backfill" {
				rows += s.Rows
				took += s.Seconds - s.Rested
			}
		}
		for _, h := range r.Handovers {
			p.Pause = max(p.Pause, h.Pause)
		}
	}
	if rows > 0 {
		p.Expected = took * float64(p.Rows) / float64(rows)
	}
	return nil
}

// mayBegin returns an error if something stands in the way that time won't mend.
func (m *Move) mayBegin(ctx context.Context) error {
	p, err := preview(ctx, m.state, m.area)
	if err != nil {
		return err
	}
	return findingsError(m.area, p.Findings)
}

func findingsError(area string, all []ladder.Finding) error {
	var lines []string
	for _, f := range all {
		lines = append(lines, f.What+". "+f.Do)
	}
	switch len(lines) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("%s can't leave the monolith now: %s", area, lines[0])
	}
	return fmt.Errorf("%s can't leave the monolith now:\n  %s", area, strings.Join(lines, "\n  "))
}

// Print writes the plan for people, the SQL at its end.
func (p *Plan) Print(out io.Writer) error {
	w := &page{out: out}
	w.line("The move of %s, step %d. Nothing was changed.\n", p.Area, p.Step)
	for _, f := range p.Findings {
		w.line("in the way: %s. %s", f.What, f.Do)
	}
	if p.Stage != "" {
		w.line("It has begun: %s has it, %s.", p.Owner, p.Stage)
	}
	for _, t := range p.Tables {
		w.line("  %-34s %9d rows %9.1f MB", t.Table, t.Rows, float64(t.Bytes)/1e6)
	}
	w.line("  %-34s %9d rows %9.1f MB, read in %.1f s", "in all", p.Rows, float64(p.Bytes)/1e6, p.Reading)
	switch {
	case p.Expected > 0:
		w.line("\nThe copy takes about %.1f s, at the rate of the moves before it here. Customers are served meanwhile.", p.Expected)
	default:
		w.line("\nThe copy takes longer than the reading did; no move here says yet how much. Customers are served meanwhile.")
	}
	w.line("The switch holds %s; gateways that answer: %d.", strings.Join(p.Held, ", "), p.Gateways)
	if p.Pause > 0 {
		w.line("Customers of these wait for the time of it; the longest here so far took %.2f s. Nobody gets an error.", p.Pause)
	} else {
		w.line("Customers of these wait for the time of it, usually some tenths of a second; after %.0f s the gateways let go.", holdTime.Seconds())
	}
	heading := ""
	for _, f := range p.Files {
		if f.Heading != heading {
			heading = f.Heading
			w.line("\n-- %s", heading)
		}
		w.line("\n-- %s\n%s", f.Name, strings.TrimSpace(f.SQL))
	}
	return w.err
}
