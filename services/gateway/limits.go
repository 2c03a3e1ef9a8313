package main

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"banyan/internal/fault"
)

// rateLimit is how often one client may ask, such as 5000/s or 300/m. A client that
// was quiet may ask as often at once. "off" sets no limit.
type rateLimit struct {
	rate  rate.Limit // per second
	burst int
}

// UnmarshalText reads RATE_LIMIT.
func (l *rateLimit) UnmarshalText(text []byte) error {
	if string(text) == "off" {
		*l = rateLimit{rate: rate.Inf}
		return nil
	}
	count, unit, _ := strings.Cut(string(text), "/")
	seconds := map[string]float64{"s": 1, "m": 60, "h": 3600}[unit]
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 || seconds == 0 {
		return fmt.Errorf("a rate limit is like 5000/s, 300/m or off, not %q", text)
	}
	*l = rateLimit{rate.Limit(float64(n) / seconds), n}
	return nil
}

const (
	maxClients = 1 << 16 // clients remembered
	sample     = 8       // how many are looked at to find one to forget
)

// clients limits each client by the address of its connection; no header can change
// that. IPv6 counts by /64, the least that one customer gets.
type clients struct {
	limit rateLimit
	mu    sync.Mutex
	known map[netip.Addr]*rate.Limiter
}

func newClients(limit rateLimit) *clients {
	return &clients{limit: limit, known: map[netip.Addr]*rate.Limiter{}}
}

var errThrottled = fault.New(fault.Throttled, "", "Too many requests. Please slow down.")

// admit counts a request from remote, an address with a port, and refuses one too many.
func (c *clients) admit(remote string) error {
	if c.limit.rate == rate.Inf {
		return nil
	}
	now := time.Now()
	if c.limiter(address(remote), now).AllowN(now, 1) {
		return nil
	}
	return errThrottled.After(time.Duration(float64(time.Second) / float64(c.limit.rate)))
}

func address(remote string) netip.Addr {
	// What cannot be read is one client together: the zero address.
	parsed, _ := netip.ParseAddrPort(remote)
	addr := parsed.Addr().Unmap()
	if !addr.Is6() {
		return addr
	}
	network, _ := addr.WithZone("").Prefix(64)
	return network.Addr()
}

func (c *clients) limiter(addr netip.Addr, now time.Time) *rate.Limiter {
	c.mu.Lock()
	defer c.mu.Unlock()
	l, ok := c.known[addr]
	if !ok {
		if len(c.known) >= maxClients {
			c.forget(now)
		}
		l = rate.NewLimiter(c.limit.rate, c.limit.burst)
		c.known[addr] = l
	}
	return l
}

// forget drops the quietest of a few clients, which a map hands out at random. One
// that has been quiet for long enough loses nothing: a new limiter is a full one, too.
func (c *clients) forget(now time.Time) {
	var quietest netip.Addr
	most, seen := -1.0, 0
	for addr, l := range c.known {
		if tokens := l.TokensAt(now); tokens > most {
			quietest, most = addr, tokens
		}
		if seen++; seen == sample {
			break
		}
	}
	delete(c.known, quietest)
}
