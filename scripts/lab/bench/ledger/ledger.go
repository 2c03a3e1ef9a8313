package ledger

import (
	"fmt"
	"slices"
	"strings"

	"banyan/scripts/lab/bench/plot"
)

// Ledger is where the cost of one thing goes, from the monolith's figure to the services'.
type Ledger struct {
	Thing string `json:"thing"` // "one checkout"
	Start Cost   `json:"monolith"`
	Steps []Step `json:"steps"`
	End   Cost   `json:"services"`
	// Rest is what the steps do not account for.
	Rest Cost `json:"unexplained"`
	// Variants are what was measured, all rounds, by name.
	Variants map[string][]Cost `json:"variants"`
	Notes    []string          `json:"notes,omitempty"`
}

// Cost is of one request.
type Cost struct {
	CPU     float64 `json:"cpu_us"`     // CPU time, in microseconds, of all processes and all that follows
	Latency float64 `json:"latency_us"` // until the answer, in microseconds; the mean of a customer who is alone
}

func (c Cost) plus(o Cost) Cost  { return Cost{c.CPU + o.CPU, c.Latency + o.Latency} }
func (c Cost) minus(o Cost) Cost { return Cost{c.CPU - o.CPU, c.Latency - o.Latency} }

func (c Cost) times(n float64) Cost { return Cost{c.CPU * n, c.Latency * n} }

// Step is what one thing costs.
type Step struct {
	Name string `json:"name"`
	How  string `json:"how"` // it was switched
	Cost Cost   `json:"cost"`
}

// difference says what a step is made from: the sum of these variants, each so many times.
type difference struct {
	name, how string
	terms     []term
}

type term struct {
	factor  float64
	variant string
}

// less is what one variant costs more than another, divided by n for what was done n times.
func less(with, without string, n float64) []term { return []term{{1 / n, with}, {-1 / n, without}} }

// minus takes from a difference what is in others.
func minus(from []term, others ...[]term) []term {
	all := slices.Clone(from)
	for _, other := range others {
		for _, t := range other {
			all = append(all, term{-t.factor, t.variant})
		}
	}
	return all
}

// draw makes a ledger of the variants' costs.
func draw(thing, start, end string, variants map[string][]Cost, differences []difference) (*Ledger, error) {
	l := &Ledger{Thing: thing, Variants: variants}
	of := func(name string) (Cost, error) {
		costs := variants[name]
		if len(costs) == 0 {
			return Cost{}, fmt.Errorf("the variant %q was not measured", name)
		}
		return middle(costs), nil
	}
	var err error
	if l.Start, err = of(start); err != nil {
		return nil, err
	}
	if l.End, err = of(end); err != nil {
		return nil, err
	}
	sum := l.Start
	for _, d := range differences {
		step := Step{Name: d.name, How: d.how}
		for _, t := range d.terms {
			cost, err := of(t.variant)
			if err != nil {
				return nil, err
			}
			step.Cost = step.Cost.plus(cost.times(t.factor))
		}
		l.Steps = append(l.Steps, step)
		sum = sum.plus(step.Cost)
	}
	l.Rest = l.End.minus(sum)
	return l, nil
}

// middle is the median of each.
func middle(costs []Cost) Cost {
	median := func(of func(Cost) float64) float64 {
		var all []float64
		for _, c := range costs {
			all = append(all, of(c))
		}
		slices.Sort(all)
		return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
	}
	return Cost{median(func(c Cost) float64 { return c.CPU }), median(func(c Cost) float64 { return c.Latency })}
}

// CPU is the ledger of CPU time as a picture.
func (l *Ledger) CPU() plot.Waterfall {
	return l.waterfall("CPU time of "+l.Thing+", all that follows included", "CPU ms", func(c Cost) float64 { return c.CPU / 1000 })
}

// Latency is the ledger of the time until the answer.
func (l *Ledger) Latency() plot.Waterfall {
	return l.waterfall("Latency of "+l.Thing+", a customer alone", "ms", func(c Cost) float64 { return c.Latency / 1000 })
}

func (l *Ledger) waterfall(title, unit string, of func(Cost) float64) plot.Waterfall {
	w := plot.Waterfall{Title: title, Unit: unit,
		Start: plot.Total{Name: "monolith", Value: of(l.Start)}, End: plot.Total{Name: "services", Value: of(l.End)}}
	for _, step := range l.Steps {
		w.Steps = append(w.Steps, plot.Step{Name: step.Name, Change: of(step.Cost)})
	}
	w.Steps = append(w.Steps, plot.Step{Name: "unexplained", Change: of(l.Rest), Unexplained: true})
	return w
}

// Markdown is the ledger as a table.
func (l *Ledger) Markdown() string {
	var text strings.Builder
	fmt.Fprintf(&text, "| %s | CPU ms | latency ms | how it was switched |\n|---|---:|---:|---|\n", l.Thing)
	line := func(name, sign string, c Cost, how string) {
		fmt.Fprintf(&text, "| %s | %"+sign+".2f | %"+sign+".2f | %s |\n", name, c.CPU/1000, c.Latency/1000, how)
	}
	line("**monolith**", "", l.Start, "")
	for _, step := range l.Steps {
		line(step.Name, "+", step.Cost, step.How)
	}
	line("unexplained", "+", l.Rest, "what is left")
	line("**services**", "", l.End, "")
	for _, note := range l.Notes {
		text.WriteString("\n" + note + "\n")
	}
	return strings.ReplaceAll(text.String(), "| -", "| −")
}
