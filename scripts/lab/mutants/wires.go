package mutants

import "banyan/scripts/lab/wire"

// watched are the ways with a proxy in them: those on which some trouble waits for its moment. Every shop has all of them,
// so that the shops differ in nothing else.
var watched = map[wire.Way]bool{
	{From: "orders", To: "postgres"}:        true,
	{From: "shipping", To: "postgres"}:      true,
	{From: "notifications", To: "postgres"}: true,
	{From: "notifications", To: "nats"}:     true,
	{From: "payments", To: "outside"}:       true,
}

func newNet() *wire.Net { return &wire.Net{Only: func(w wire.Way) bool { return watched[w] }} }
