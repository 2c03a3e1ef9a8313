package wire

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"banyan/scripts/lab/up"
)

// Way is that of messages from one process to another, by the names of [up.Link].
type Way struct{ From, To string }

func (w Way) String() string { return w.From + " → " + w.To }

// Net is proxies between the processes of a lab, one in each way.
type Net struct {
	// Only says, whenever a process is started, in which ways there is to be a proxy; nil is in all.
	Only func(Way) bool
	// Watch is told of what passes on every way, if it is set before the lab starts.
	Watch func(Way, Moment)

	mu      sync.Mutex
	proxies map[Way]*Proxy
}

// Via is for [up.Options]: it puts a proxy into a way and returns its address. A process that is started again gets
// the same one.
func (n *Net) Via(link up.Link) (string, error) {
	way := Way{link.From, link.To}
	if n.Only != nil && !n.Only(way) {
		return link.Address, nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if proxy := n.proxies[way]; proxy != nil {
		return proxy.Addr(), nil
	}
	proxy, err := Listen(link.Address, protocolOf(way.To))
	if err != nil {
		return "", fmt.Errorf("put a proxy between %s and %s: %w", way.From, way.To, err)
	}
	if watch := n.Watch; watch != nil {
		proxy.Watch(func(m Moment) { watch(way, m) })
	}
	if n.proxies == nil {
		n.proxies = map[Way]*Proxy{}
	}
	n.proxies[way] = proxy
	return proxy.Addr(), nil
}

// Ways are those with a proxy, in order.
func (n *Net) Ways() []Way {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.SortedFunc(maps.Keys(n.proxies), func(a, b Way) int { return strings.Compare(a.String(), b.String()) })
}

// Proxy is the one in a way; nil if there is none.
func (n *Net) Proxy(w Way) *Proxy {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.proxies[w]
}

// Unread is an error that names a way with connections that were not understood: on those, moments go by unseen.
func (n *Net) Unread() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for way, proxy := range n.proxies {
		if unread := proxy.Unread(); unread > 0 {
			return fmt.Errorf("%d connections of %s to %s could not be read", unread, way.From, way.To)
		}
	}
	return nil
}

// Close takes all proxies away.
func (n *Net) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	var problems []error
	for _, proxy := range n.proxies {
		problems = append(problems, proxy.Close())
	}
	return errors.Join(problems...)
}

// protocolOf is what the far end of a way speaks.
func protocolOf(to string) Protocol {
	switch to {
	case "postgres":
		return Postgres
	case "nats":
		return NATS
	case "mail":
		return Plain
	}
	return HTTP
}
