package workload

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/workload/fakeshop"
)

// begun is a crowd of six browsers that ask for a hundred pages a second.
func begun(t *testing.T, at *fakeshop.Shop, change func(*Options)) *Crowd {
	t.Helper()
	o := Options{URL: at.URL, Visitors: Visitors{Catalogue: known()}, Browsers: 6, Rate: 100, Seed: 1}
	if change != nil {
		change(&o)
	}
	c, err := Begin(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = c.Stop() })
	return c
}

func TestCrowd(t *testing.T) {
	t.Parallel()

	t.Run("asks at its rate until it is told to stop, and finds nothing wrong with a shop that is right", func(t *testing.T) {
		t.Parallel()
		c := begun(t, fakeshop.New(t, seeded(), nil), nil)
		time.Sleep(300 * time.Millisecond)
		first := c.Mark("before")
		time.Sleep(300 * time.Millisecond)
		second := c.Mark("after")
		time.Sleep(100 * time.Millisecond)
		all, err := c.Stop()
		require.NoError(t, err)
		require.Zero(t, all.Failed(), all.Complaints)

		require.Equal(t, "before", first.Name)
		require.Equal(t, "after", second.Name)
		require.Equal(t, first.Ended, second.Began, "nothing falls in between")
		for _, w := range []*Window{first, second} {
			require.Positive(t, w.AllVisits())
			require.GreaterOrEqual(t, w.Requests, w.AllVisits())
			require.Positive(t, w.Throughput())
			require.Positive(t, w.Latency.Percentile(99))
		}
		require.GreaterOrEqual(t, all.Requests, first.Requests+second.Requests)
		require.Equal(t, all.Requests, all.Checked, "each answer was compared")
		require.LessOrEqual(t, float64(all.AllVisits()), 100*all.Length().Seconds()+1, "no faster than its rate")
		require.Positive(t, all.Sent)
		require.Regexp(t, `^before: 0\.\d s, \d+ interactions, \d+ requests \(\d+/s\), p50 [\d.]+ ms, p99 [\d.]+ ms, longest \d+ ms, 0 failed$`, first.String())

		again, err := c.Stop()
		require.NoError(t, err)
		require.Equal(t, all.Requests, again.Requests, "it asks for nothing any more")
	})

	t.Run("has the mixes in equal shares, and a customer or more for each browser", func(t *testing.T) {
		t.Parallel()
		c := begun(t, fakeshop.New(t, seeded(), nil), nil)
		shares, people := map[string]int{}, map[string]bool{}
		for _, b := range c.browsers {
			shares[b.script.mix.Name]++
			for _, v := range b.visitors {
				people[v.email] = true
			}
		}
		require.Equal(t, map[string]int{"browsing": 2, "shopping": 2, "ordering": 2}, shares)
		require.Len(t, people, 12, "nobody is at two browsers")
	})

	t.Run("tells in which window what went wrong", func(t *testing.T) {
		t.Parallel()
		var bad atomic.Bool
		c := begun(t, fakeshop.New(t, seeded(), func(w http.ResponseWriter, r *http.Request) {
			switch {
			case !bad.Load():
			case r.URL.Path == "/v1/books":
				fakeshop.Refuse(w, http.StatusServiceUnavailable, "unavailable")
			case r.URL.Path == "/v1/cart":
				fakeshop.Body(`{"items":[],"total":{"amount":1}}`)(w, r)
			}
		}), nil)
		time.Sleep(200 * time.Millisecond)
		before := c.Mark("before")
		bad.Store(true)
		time.Sleep(500 * time.Millisecond)
		during := c.Mark("during")
		bad.Store(false)
		time.Sleep(100 * time.Millisecond)
		c.Mark("on the way") // an answer may be under way when a window ends
		time.Sleep(200 * time.Millisecond)
		after := c.Mark("after")
		require.Zero(t, before.Failed(), before.Complaints)
		require.Zero(t, after.Failed(), after.Complaints)
		require.Positive(t, during.Errors)
		require.Equal(t, during.Errors, during.Failures["503 unavailable"])
		require.Equal(t, during.Wrong, during.Failures[wrongContents])
		require.Contains(t, during.String(), "times 503 unavailable")
		require.NotEmpty(t, during.Complaints)
		for i, complaint := range during.Complaints {
			require.WithinRange(t, complaint.At, during.Began, during.Ended)
			if i > 0 {
				require.False(t, complaint.At.Before(during.Complaints[i-1].At), "in the order of time")
			}
		}
		all, err := c.Stop()
		require.NoError(t, err)
		require.GreaterOrEqual(t, all.Failed(), during.Failed())
		require.Equal(t, during.Complaints[0].Text, all.Complaints[0].Text)
		require.LessOrEqual(t, len(all.Complaints), MostComplaints)
	})

	t.Run("waits as long as it is held, and asks for all that was due meanwhile", func(t *testing.T) {
		t.Parallel()
		var hold atomic.Bool
		c := begun(t, fakeshop.New(t, seeded(), func(http.ResponseWriter, *http.Request) {
			if hold.CompareAndSwap(true, false) {
				time.Sleep(400 * time.Millisecond)
			}
		}), nil)
		time.Sleep(100 * time.Millisecond)
		c.Mark("before")
		hold.Store(true)
		time.Sleep(600 * time.Millisecond)
		w := c.Mark("held")
		require.Zero(t, w.Failed(), w.Complaints)
		require.Greater(t, w.Latency.Percentile(100), 350*time.Millisecond)
		require.Greater(t, w.Latency.Percentile(75), 50*time.Millisecond, "all who came meanwhile have waited")
		visits := w.AllVisits()
		require.Eventually(t, func() bool {
			visits += c.Mark("later").AllVisits()
			return float64(visits) > 90*time.Since(w.Began).Seconds()
		}, time.Minute, 50*time.Millisecond, "nothing that was due is left out")
	})

	t.Run("finishes what is under way when it is told to stop", func(t *testing.T) {
		t.Parallel()
		var under atomic.Int64
		var slow atomic.Bool
		c := begun(t, fakeshop.New(t, seeded(), func(http.ResponseWriter, *http.Request) {
			if slow.Load() {
				under.Add(1)
				time.Sleep(50 * time.Millisecond)
			}
		}), nil)
		slow.Store(true)
		require.Eventually(t, func() bool { return under.Load() > 0 }, 5*time.Second, time.Millisecond)
		all, err := c.Stop()
		require.NoError(t, err)
		require.Zero(t, all.Failed(), all.Complaints)
		require.Positive(t, all.Requests)
	})

	t.Run("says that it was sent away", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		c, err := Begin(ctx, Options{
			URL: fakeshop.New(t, seeded(), nil).URL, Visitors: Visitors{Catalogue: known()}, Browsers: 3, Rate: 50,
		})
		require.NoError(t, err)
		cancel()
		all, err := c.Stop()
		require.ErrorContains(t, err, "sent away before it was told to stop")
		require.Zero(t, all.Failed(), all.Complaints)
	})

	t.Run("counts a front that is not there as errors, without ports", func(t *testing.T) {
		t.Parallel()
		at := fakeshop.New(t, seeded(), nil)
		c := begun(t, at, nil)
		at.Close()
		require.Eventually(t, func() bool {
			return c.Mark("gone").Failures["no answer: dial: connect: connection refused"] > 0
		}, 5*time.Second, 20*time.Millisecond)
	})
}

func TestCrowdFillsTheStockUp(t *testing.T) {
	t.Parallel()

	t.Run("before it begins, and all the while", func(t *testing.T) {
		t.Parallel()
		at := fakeshop.New(t, seeded(), nil)
		at.Lose(fakeshop.Copies)
		c := begun(t, at, func(o *Options) { o.Rate, o.Restock = 20, 50*time.Millisecond })
		require.Positive(t, at.Copies())
		at.Lose(fakeshop.Copies)
		require.Eventually(t, func() bool { return at.Copies() > 0 }, time.Minute, 10*time.Millisecond)
		all, err := c.Stop()
		require.NoError(t, err)
		require.Zero(t, all.Failed(), all.Complaints)
		require.Positive(t, all.Clerk.Requests)
		require.Zero(t, all.Clerk.AllVisits())
	})

	t.Run("and counts a delivery that fails", func(t *testing.T) {
		t.Parallel()
		var bad atomic.Bool
		at := fakeshop.New(t, seeded(), func(w http.ResponseWriter, r *http.Request) {
			if bad.Load() && r.Method == http.MethodPost && r.URL.Path != "/v1/orders" {
				fakeshop.Refuse(w, http.StatusInternalServerError, "internal")
			}
		})
		c := begun(t, at, func(o *Options) { o.Rate, o.Restock = 20, 50*time.Millisecond })
		bad.Store(true)
		at.Lose(fakeshop.Copies)
		require.Eventually(t, func() bool { return c.Mark("bad").Clerk.Errors > 0 }, time.Minute, 10*time.Millisecond)
		bad.Store(false)
		all, err := c.Stop()
		require.NoError(t, err)
		require.Positive(t, all.Failed())
		require.Contains(t, all.Reasons()[0], "times 500 internal")
		require.Contains(t, all.Complaints[0].Text, "/deliveries was answered with 500 internal")
	})
}

func TestCrowdOptions(t *testing.T) {
	t.Parallel()
	for says, o := range map[string]Options{
		"has to know the catalogue":     {Browsers: 3, Rate: 1},
		"at a rate above zero":          {Visitors: Visitors{Catalogue: known()}, Browsers: 3},
		"2 browsers can't take 3 mixes": {Visitors: Visitors{Catalogue: known()}, Browsers: 2, Rate: 1},
		"not every 2m0s":                {Visitors: Visitors{Catalogue: known()}, Browsers: 3, Rate: 1, Restock: 2 * time.Minute},
		"would ask once in 100 s each":  {Visitors: Visitors{Catalogue: known()}, Browsers: 10, Rate: 0.1},
		"need a customer each":          {Visitors: Visitors{Catalogue: known(), Customers: 2}, Browsers: 3, Rate: 1},
	} {
		_, err := Begin(t.Context(), o)
		require.ErrorContains(t, err, says)
	}
}
