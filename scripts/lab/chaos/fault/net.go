package fault

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"banyan/scripts/lab/up"
	"banyan/scripts/lab/wire"
)

// What the far ends of wires are called that are no process of a side.
const (
	Postgres = "postgres"
	NATS     = "nats"
	Outside  = "outside" // the card processor
	Mail     = "mail"
)

// Wire is the way from one process to another.
type Wire struct{ From, To string }

func (w Wire) String() string { return w.From + " → " + w.To }

// Net has a proxy in every wire of a lab.
type Net struct {
	// Watch is told of what passes on every wire, if it is set before the lab starts.
	Watch func(Wire, wire.Moment)
	// Cards stands between the shop and the card processor, behind the proxy.
	Cards Cards

	mu      sync.Mutex
	proxies map[Wire]*wire.Proxy
}

// Via is for [up.Options]: it puts a proxy into a wire and returns its address.
func (n *Net) Via(link up.Link) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	w := Wire{link.From, link.To}
	if proxy := n.proxies[w]; proxy != nil {
		return proxy.Addr(), nil
	}
	target := link.Address
	if w.To == Outside {
		var err error
		if target, err = n.Cards.before(target); err != nil {
			return "", err
		}
	}
	proxy, err := wire.Listen(target, protocolOf(w.To))
	if err != nil {
		return "", fmt.Errorf("put a proxy between %s and %s: %w", w.From, w.To, err)
	}
	if watch := n.Watch; watch != nil {
		proxy.Watch(func(m wire.Moment) { watch(w, m) })
	}
	if n.proxies == nil {
		n.proxies = map[Wire]*wire.Proxy{}
	}
	n.proxies[w] = proxy
	return proxy.Addr(), nil
}

// Wires are those that there are, in order.
func (n *Net) Wires() []Wire {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.SortedFunc(maps.Keys(n.proxies), func(a, b Wire) int { return strings.Compare(a.String(), b.String()) })
}

// Proxy is the one in a wire; nil if there is no such wire.
func (n *Net) Proxy(w Wire) *wire.Proxy {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.proxies[w]
}

// Close takes all proxies away.
func (n *Net) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	var errs []error
	for _, proxy := range n.proxies {
		errs = append(errs, proxy.Close())
	}
	return errors.Join(append(errs, n.Cards.close())...)
}

func protocolOf(to string) wire.Protocol {
	switch to {
	case Postgres:
		return wire.Postgres
	case NATS:
		return wire.NATS
	case Mail:
		return wire.Plain
	}
	return wire.HTTP
}
