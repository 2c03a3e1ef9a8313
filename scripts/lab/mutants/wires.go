package mutants

import (
	"errors"
	"fmt"
	"sync"

	"banyan/scripts/lab/up"
	"banyan/scripts/lab/wire"
)

// link is the way from one process to another.
type link struct{ from, to string }

// protocols are the links with a proxy in them: those on which some trouble waits for its moment. Every shop has all of them,
// so that the shops differ in nothing else.
var protocols = map[link]wire.Protocol{
	{"orders", "postgres"}:        wire.Postgres,
	{"shipping", "postgres"}:      wire.Postgres,
	{"notifications", "postgres"}: wire.Postgres,
	{"notifications", "nats"}:     wire.NATS,
	{"payments", "outside"}:       wire.HTTP,
}

// wires are the proxies of a lab.
type wires struct {
	mu      sync.Mutex
	proxies map[link]*wire.Proxy
}

// via is for [up.Options].
func (w *wires) via(l up.Link) (string, error) {
	on := link{l.From, l.To}
	protocol, watched := protocols[on]
	if !watched {
		return l.Address, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if proxy := w.proxies[on]; proxy != nil { // the process is started again
		return proxy.Addr(), nil
	}
	proxy, err := wire.Listen(l.Address, protocol)
	if err != nil {
		return "", fmt.Errorf("put a proxy between %s and %s: %w", l.From, l.To, err)
	}
	if w.proxies == nil {
		w.proxies = map[link]*wire.Proxy{}
	}
	w.proxies[on] = proxy
	return proxy.Addr(), nil
}

func (w *wires) on(l link) *wire.Proxy {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.proxies[l]
}

// unread names a connection that was not understood: on it, moments go by unseen.
func (w *wires) unread() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for l, proxy := range w.proxies {
		if n := proxy.Unread(); n > 0 {
			return fmt.Errorf("%d connections of %s to %s could not be read", n, l.from, l.to)
		}
	}
	return nil
}

func (w *wires) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var errs []error
	for _, proxy := range w.proxies {
		errs = append(errs, proxy.Close())
	}
	return errors.Join(errs...)
}
