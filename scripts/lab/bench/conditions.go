package bench

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// conditions say how it was measured, a sentence each.
func (r *Report) conditions() []string {
	var all []string
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	o := r.Options
	think := "without think time"
	if o.ThinkTime > 0 {
		think = fmt.Sprintf("that think for %g s on average", o.ThinkTime)
	}
	say("Closed loop: %s per side %s, each with one connection; %s × %g s per mix and side, in turns; %d customers signed in "+
		"beforehand; seed size %s", r.browsersInWords(), think, r.roundsInWords(), o.Seconds, o.Customers, o.SeedSize)
	if len(o.Open) > 0 {
		say("Open loop: at %s of what the slowest side can do, every side at the same rate, %d × %g s, %d connections; latency counts "+
			"from when a page had to be asked for", percents(o.Open), o.OpenRounds, o.OpenSeconds, o.OpenConnections)
	}
	say("%s", r.memories())
	if o.WithLogins {
		say("Customer Registration hashed passwords for real, which is most of what it costs")
	}
	say("A ratio is the median of the rounds' own, and stands with the range that holds the true one in nine of ten runs; there is no verdict "+
		"on a budget from fewer than %d rounds, nor where the budget lies in that range or within %.0f %% of the ratio", fewestRounds, 100*betweenRuns)
	say("Requests/s are the median of the rounds; a round lasts until its events have had their effects. CPU counts everything that "+
		"followed, PostgreSQL and mail included; the browsers themselves took up to %.0f %% of the machine", 100*r.mostGenerator())
	for _, side := range r.sides() {
		if pools := r.Sides[side].Connections; len(pools) > 0 {
			say("%s: connections to PostgreSQL: %s", side, connections(pools))
		}
	}
	m := r.Machine
	if m.CPU != "" {
		nats := ""
		if m.NATS != "" {
			nats = ", NATS " + m.NATS
			if m.NATSSync != "" {
				nats += " (sync_interval " + m.NATSSync + ")"
			}
		}
		say("%s, %d cores, %s, %s, PostgreSQL %s (synchronous_commit %s)%s", m.CPU, m.Cores, m.Kernel, m.Go, m.Postgres,
			m.Settings["synchronous_commit"], nats)
	}
	if r.Inspected > 0 {
		say("After each round the rules of lab verify were held against every side: %d looks, %d broken", r.Inspected, len(r.Broken))
	}
	if r.Seconds > 0 {
		say("The run took %s", (time.Duration(r.Seconds) * time.Second).String())
	}
	return all
}

// memories says what the sides could remember of earlier rounds.
func (r *Report) memories() string {
	says := "Each side has processes of its own, so no side answers from what another one's rounds made it remember"
	if len(r.Ladder) > 0 {
		says += "; each step has a lab of its own, with its own PostgreSQL and broker, and all labs run during the run, one of them under load at a time"
	}
	if r.Sides[facade] != nil {
		says += "; the façade has a monolith of its own, which is stopped while the other monolith is measured, and the other way round"
	}
	if r.Options.Forget {
		return says + fmt.Sprintf(". Before the open loop of each mix all sides wait %.0f s, longer than any of them remembers an answer", longestMemory.Seconds())
	}
	return says + ". A side may remember the Best Sellers of its own earlier rounds, for 25 s"
}

func (r *Report) writeConditions(text *strings.Builder) {
	for _, line := range r.conditions() {
		text.WriteString(line + ".\n")
	}
	for _, warning := range r.Warnings {
		text.WriteString("Note: " + warning + ".\n")
	}
}

// roundsInWords is such as "5", or "5 to 9" where some mixes needed more.
func (r *Report) roundsInWords() string {
	var each []int
	for _, mix := range r.mixes() {
		for _, side := range r.sides() {
			if t := r.resultIfThere(side, mix); t != nil {
				each = append(each, len(t.Rounds))
			}
		}
	}
	switch {
	case len(each) == 0:
		return fmt.Sprint(r.Options.Rounds)
	case slices.Min(each) == slices.Max(each):
		return fmt.Sprint(each[0])
	}
	return fmt.Sprintf("%d to %d", slices.Min(each), slices.Max(each))
}

// browsersInWords is such as "16 browsers", or "16 (browsing), 32 (ordering) browsers" where the sweep has chosen.
func (r *Report) browsersInWords() string {
	if r.Options.Browsers > 0 {
		return fmt.Sprintf("%d browsers", r.Options.Browsers)
	}
	var each []string
	for _, mix := range r.mixes() {
		if t := r.resultIfThere(r.sides()[0], mix); t != nil {
			each = append(each, fmt.Sprintf("%d (%s)", t.Browsers, mix))
		}
	}
	return strings.Join(each, ", ") + " browsers, as the sweep chose,"
}

func percents(shares []float64) string {
	var each []string
	for _, share := range shares {
		each = append(each, fmt.Sprintf("%.0f %%", 100*share))
	}
	return strings.Join(each, " and ")
}

// mostGenerator is the highest share of the machine's CPU that the browsers took in a closed loop.
func (r *Report) mostGenerator() (most float64) {
	for _, side := range r.Sides {
		for _, result := range side.Mixes {
			most = max(most, result.Generator)
		}
	}
	return most
}

// connections is such as "16", or "56 (catalog 8, orders 16, …)".
func connections(pools map[string]int) string {
	sum := 0
	var each []string
	for _, process := range slices.Sorted(maps.Keys(pools)) {
		sum += pools[process]
		each = append(each, fmt.Sprintf("%s %d", process, pools[process]))
	}
	if len(each) < 2 {
		return fmt.Sprint(sum)
	}
	return fmt.Sprintf("%d (%s)", sum, strings.Join(each, ", "))
}
