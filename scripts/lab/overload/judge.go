package overload

import "fmt"

// What has to hold.
const (
	leastGoodput = .80 // of the best, at five times what can be served

	// Accepted requests keep their latency if they take no more than twice as long as at the best goodput, with the largest
	// crowd that is served so well. Without a door there is no bound: every second of five times the load adds four seconds to what
	// those at the end of the queue wait.
	mostSlower = 2.0

	mostRetries   = .10 // of the gateway's requests
	mostDisturbed = 1.2 // browsing's p99 while payments is down, by what it is else
	mostLate      = .01 // of the requests; else the generator was too slow to judge by
	mostDeclined  = .01 // answers that the mix should not get

	// A door refuses at once, and nobody at ordinary concurrency. The shop itself tells a checkout to come back that has
	// waited for 2.6 s, and a request whose session could not be exchanged within 2 s: on half a processor, of which sign-ins
	// take half, that happens to some in a thousand.
	mostRefused = .005
)

// judge notes what does not hold. A run whose generator could not keep up says nothing about the shop, and is off, too.
func (r *Report) judge() {
	r.Violations = nil
	check := func(ok bool, format string, args ...any) {
		if !ok {
			r.Violations = append(r.Violations, fmt.Sprintf(format, args...))
		}
	}
	check(r.Goodput >= leastGoodput, "goodput at %d times the load is %.0f %% of the best, and should be at least %.0f %%", r.Times, 100*r.Goodput, 100*leastGoodput)
	calm, storm := r.Best.Kinds[kindCheckout].Rate, r.Overload.Kinds[kindCheckout].Rate
	check(storm >= leastGoodput*calm, "checkouts at %d times the load are %.0f/s of %.0f/s: goodput was kept by refusing what is dear", r.Times, storm, calm)
	check(r.Overload.P50 <= mostSlower*r.Best.P50, "p50 of accepted requests grew from %.1f to %.1f ms, more than %.0f times", r.Best.P50, r.Overload.P50, mostSlower)
	check(r.Overload.P99 <= mostSlower*r.Best.P99, "p99 of accepted requests grew from %.1f to %.1f ms, more than %.0f times", r.Best.P99, r.Overload.P99, mostSlower)
	check(r.Overload.Refused > 0, "nothing was refused, so there was no overload")
	for name, p := range map[string]Phase{"at the best goodput": r.Best, "under overload": r.Overload} {
		asked := p.Accepted + p.Declined + p.Refused + p.Failed
		check(p.Failed == 0, "%d requests %s were neither served nor properly refused: %v", p.Failed, name, p.Failures)
		check(float64(p.Declined) <= mostDeclined*float64(asked), "%d requests %s were declined, which the mix should not get", p.Declined, name)
		check(float64(p.Late) <= mostLate*float64(asked), "%d requests %s were sent late: the generator was too slow", p.Late, name)
	}
	check(r.Best.Shed == 0, "%d requests were refused at once at ordinary concurrency, by a door", r.Best.Shed)
	check(float64(r.Best.Refused) <= mostRefused*float64(r.Best.Accepted), "%d requests were refused at ordinary concurrency", r.Best.Refused)
	if o := r.Outage; o != nil {
		check(o.Ratio > 0 && o.Ratio <= mostDisturbed, "browsing's p99 is %.2f times as long while payments is down", o.Ratio)
		check(o.Unbrowsed == 0, "%d of %d could not browse", o.Unbrowsed, o.Unbrowsed+o.Browsed)
		check(o.Opened > 0 && o.OpenSeen == o.Rounds, "the breaker was open in %d of %d outages", o.OpenSeen, o.Rounds)
		check(o.ClosedSeen == o.Rounds, "the breaker closed again after %d of %d outages", o.ClosedSeen, o.Rounds)
		check(float64(o.Retries+o.Failovers) <= mostRetries*float64(o.Requests), "the gateway sent %d of %d requests again", o.Retries+o.Failovers, o.Requests)
	}
}

// Passed says whether everything held.
func (r *Report) Passed() bool { return len(r.Violations) == 0 }
