package fault

import (
	"errors"

	"banyan/scripts/lab/up"
	"banyan/scripts/lab/wire"
)

// What the far ends of ways are called that are no process of a side.
const (
	Postgres = "postgres"
	NATS     = "nats"
	Outside  = "outside" // the card processor
	Mail     = "mail"
)

// Net has a proxy in every way of a lab.
type Net struct {
	wire.Net
	// Cards stands between the shop and the card processor, behind the proxy.
	Cards Cards
}

// Via is for [up.Options].
func (n *Net) Via(link up.Link) (address string, err error) {
	if link.To == Outside {
		if link.Address, err = n.Cards.before(link.Address); err != nil {
			return "", err
		}
	}
	return n.Net.Via(link)
}

// Close takes all proxies away.
func (n *Net) Close() error { return errors.Join(n.Net.Close(), n.Cards.close()) }
