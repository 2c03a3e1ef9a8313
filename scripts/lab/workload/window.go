package workload

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Window is what a crowd saw between two marks. The latency of a request that began a visit counts from when the visit was
// due, and the longest is that of 100 per cent. Bytes are counted in the window in which the crowd was stopped.
type Window struct {
	Name         string
	Began, Ended time.Time
	*Tally
	// Clerk is what the member of staff saw who fills the stock up. Its complaints are among those of the window as well, and
	// all else is apart.
	Clerk *Tally
}

// Length is from mark to mark.
func (w *Window) Length() time.Duration { return w.Ended.Sub(w.Began) }

// Throughput is requests per second.
func (w *Window) Throughput() float64 { return float64(w.Requests) / max(w.Length(), 1).Seconds() }

// Failed is how many answers were none that anybody should get: errors and wrong ones, the clerk's with them.
func (w *Window) Failed() int64 { return w.Errors + w.Wrong + w.Clerk.Errors + w.Clerk.Wrong }

// Reasons are why these failed, with how often, the most frequent first.
func (w *Window) Reasons() []string {
	byReason := map[string]int64{}
	for _, failures := range []map[string]int64{w.Failures, w.Clerk.Failures} {
		for reason, n := range failures {
			byReason[reason] += n
		}
	}
	var all []string
	for reason := range byReason {
		all = append(all, reason)
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(cmp.Compare(byReason[b], byReason[a]), cmp.Compare(a, b)) })
	for i, reason := range all {
		all[i] = fmt.Sprintf("%d times %s", byReason[reason], reason)
	}
	return all
}

// String is the window as a line.
func (w *Window) String() string {
	text := fmt.Sprintf("%s: %.1f s, %d interactions, %d requests (%.0f/s), p50 %.1f ms, p99 %.1f ms, longest %.0f ms, %d failed",
		w.Name, w.Length().Seconds(), w.AllVisits(), w.Requests, w.Throughput(),
		milliseconds(w.Latency.Percentile(50)), milliseconds(w.Latency.Percentile(99)), milliseconds(w.Latency.Percentile(100)), w.Failed())
	if reasons := w.Reasons(); len(reasons) > 0 {
		text += ": " + strings.Join(reasons, ", ")
	}
	return text
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// add makes the window that follows part of this one.
func (w *Window) add(next *Window) {
	w.Ended = next.Ended
	complaints := inTime([][]Complaint{w.Complaints, next.Complaints})
	w.Add(next.Tally)
	w.Clerk.Add(next.Clerk)
	w.Complaints = complaints
}

// inTime are the first of several lists of complaints, the same texts together.
func inTime(lists [][]Complaint) []Complaint {
	all := slices.Concat(lists...)
	slices.SortStableFunc(all, func(a, b Complaint) int { return a.At.Compare(b.At) })
	var first Tally
	for _, c := range all {
		first.Complain(c)
	}
	return first.Complaints
}
