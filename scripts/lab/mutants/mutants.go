package mutants

import (
	"time"

	"banyan/scripts/lab/wire"
)

// Mutant is the shop with a mistake in it.
type Mutant struct {
	Name  string
	patch string // file

	// bears says that the shop has to bear this mistake, for it has a second line of defence.
	bears bool
	// alter is a file of statements for the database: what the mistake is besides the programs.
	alter string
	// troubles are when the mistake hurts.
	troubles []trouble
	// hangs says that something is left undone for ever. Nobody has to wait long for the shop to come to rest.
	hangs bool
}

// For how long a shop may come to rest. An event that a dead consumer had in its hands comes again after 30 s.
const (
	restWithin = 90 * time.Second
	hangWithin = 25 * time.Second
)

func (m Mutant) rest() time.Duration {
	if m.hangs {
		return hangWithin
	}
	return restWithin
}

// All are the mutants, in the order in which they are told.
var All = []Mutant{
	{
		Name: "publish-outside", patch: "publish-outside.patch", hangs: true,
		troubles: []trouble{
			{on: wire.Way{From: "orders", To: "postgres"}, kind: wire.Committed, when: runs("merge into orders"), every: 20, do: kill},
		},
	},
	{
		Name: "ack-before-commit", patch: "ack-before-commit.patch",
		troubles: []trouble{
			{on: wire.Way{From: "shipping", To: "postgres"}, kind: wire.Commit, when: runs("into shipments"), every: 20, do: kill},
			{on: wire.Way{From: "notifications", To: "postgres"}, kind: wire.Commit, when: runs("insert into notifications"), every: 20, do: kill},
		},
	},
	{
		Name: "no-inbox-but-keys", patch: "no-inbox.patch", bears: true,
		troubles: []trouble{
			{on: wire.Way{From: "notifications", To: "nats"}, kind: wire.Ack, when: about("order.paid"), every: 10, do: kill},
		},
	},
	{
		Name: "no-inbox", patch: "no-inbox.patch",
		alter: "no-inbox.sql", // and the second line
		troubles: []trouble{
			{on: wire.Way{From: "notifications", To: "nats"}, kind: wire.Ack, when: about("order.paid"), every: 10, do: kill},
		},
	},
	{
		Name: "outbox-by-offset", patch: "outbox-by-offset.patch", hangs: true,
		troubles: []trouble{
			{on: wire.Way{From: "orders", To: "postgres"}, kind: wire.Commit, when: runs("insert into outbox"), every: 6, do: hold},
		},
	},
	{
		Name: "retry-without-key", patch: "retry-without-key.patch",
		troubles: []trouble{
			{on: wire.Way{From: "payments", To: "outside"}, kind: wire.Response, when: answers("/charges"), every: 6, do: lose},
		},
	},
	{
		Name: "skipped-compensation", patch: "skipped-compensation.patch", hangs: true,
	},
}
