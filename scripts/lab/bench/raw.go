package bench

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"banyan/scripts/lab/workload"
)

// roundLine is a round in the raw lines, whole: every figure of the report can be made from these.
type roundLine struct {
	Line     string    `json:"line"` // round
	Side     string    `json:"side"`
	Step     int       `json:"step"`
	Mix      string    `json:"mix"`
	Kind     string    `json:"kind"` // warm-up, sweep, closed, open
	Number   int       `json:"number"`
	Began    time.Time `json:"began"`
	Browsers int       `json:"browsers"`
	Rate     float64   `json:"interactions_per_second,omitempty"` // of an open loop

	Throughput   float64                      `json:"requests_per_second"`
	Load         float64                      `json:"load_seconds"`
	Drain        float64                      `json:"drain_seconds"`
	Requests     int64                        `json:"requests"`
	Errors       int64                        `json:"errors"`
	Wrong        int64                        `json:"wrong_answers"`
	Checked      int64                        `json:"answers_compared"`
	Pending      int64                        `json:"answered_202"`
	Refused      map[string]int64             `json:"refused,omitempty"`
	Late         float64                      `json:"generator_late_share"`
	Interactions map[string]InteractionResult `json:"interactions"`
	CPU          map[string]float64           `json:"cpu_ms_per_request,omitempty"`
	GeneratorCPU float64                      `json:"generator_cpu_seconds"`
	OthersCPU    float64                      `json:"other_programs_cpu_seconds"`
	StolenCPU    float64                      `json:"stolen_cpu_seconds"`
	Rested       bool                         `json:"came_to_rest"`
	Work         Work                         `json:"work"`
	// Latency is the histogram of the requests' microseconds: HdrHistogram's format V2, compressed, as base64.
	Latency string `json:"latency_us_hdr"`
}

func (r *round) line(s *side, mix workload.Mix) *roundLine {
	l := &roundLine{
		Line: "round", Side: s.name, Step: s.step, Mix: mix.Name, Kind: r.load.kind, Number: r.load.Number, Began: r.began.UTC(),
		Browsers: r.load.Browsers, Rate: r.load.Rate,
		Throughput: r.throughput(), Load: r.took.Seconds(), Drain: r.drain.Seconds(),
		Requests: r.tally.Requests, Errors: r.tally.Errors, Wrong: r.tally.Wrong, Checked: r.tally.Checked,
		Pending: r.tally.Pending, Refused: refusals(r.tally), Late: r.tally.Pace.LateShare(),
		Interactions: interactionResults(r.tally, r.visits()),
		GeneratorCPU: r.bill.generator.Seconds(), OthersCPU: r.bill.others.Seconds(), StolenCPU: r.bill.stolen.Seconds(), Rested: r.rest,
	}
	l.CPU, _ = r.bill.perRequest(s.name, r.tally.Requests)
	if r.tally.Requests > 0 {
		l.Work = workOf(s.name, r.counted, r.tally)
	}
	if packed, err := r.tally.Latency.Encode(); err == nil {
		l.Latency = base64.StdEncoding.EncodeToString(packed)
	}
	return l
}

// reportLine is the last line.
type reportLine struct {
	Line string `json:"line"` // report
	*Report
}

// WriteLine writes the report as the last of the raw lines, when the annexes have been added to it.
func (r *Report) WriteLine(to io.Writer) error { return writeLine(to, reportLine{"report", r}) }

// raw writes a line of JSON, if anybody wants it.
func (r *runner) raw(line any) error {
	if r.options.Raw == nil {
		return nil
	}
	return writeLine(r.options.Raw, line)
}

func writeLine(to io.Writer, line any) error {
	if err := json.NewEncoder(to).Encode(line); err != nil {
		return fmt.Errorf("write the raw lines: %w", err)
	}
	return nil
}
