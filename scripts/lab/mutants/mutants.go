package mutants

import (
	"time"

	"banyan/scripts/lab/wire"
)

// Mutant is the shop with one mistake in it.
type Mutant struct {
	Name string // also the patch's

	// alter is a file of statements for the database: what the mistake is besides the programs.
	alter string
	// troubles are when the mistake hurts.
	troubles []trouble
	// rest is for how long the shop may come to rest. Some mistakes keep it from that for ever. An event that a dead
	// consumer had in its hands comes again after 30 s.
	rest time.Duration
}

// All are the mutants, in the order in which they are told.
var All = []Mutant{
	{
		Name: "publish-outside",
		troubles: []trouble{
			{on: link{"orders", "postgres"}, kind: wire.Committed, when: runs("merge into orders"), every: 12, do: kill},
		},
		rest: 25 * time.Second,
	},
	{
		Name: "ack-before-commit",
		troubles: []trouble{
			{on: link{"shipping", "postgres"}, kind: wire.Commit, when: runs("into shipments"), every: 12, do: kill},
			{on: link{"notifications", "postgres"}, kind: wire.Commit, when: runs("insert into notifications"), every: 12, do: kill},
		},
		rest: redelivered,
	},
	{
		Name:  "no-inbox",
		alter: "no-inbox.sql",
		troubles: []trouble{
			{on: link{"notifications", "nats"}, kind: wire.Ack, every: 12, do: kill},
		},
		rest: redelivered,
	},
	{
		Name: "outbox-by-offset",
		troubles: []trouble{
			{on: link{"orders", "postgres"}, kind: wire.Commit, when: runs("insert into outbox"), every: 6, do: hold},
		},
		rest: 10 * time.Second,
	},
	{
		Name: "retry-without-key",
		troubles: []trouble{
			{on: link{"payments", "outside"}, kind: wire.Response, when: answers("/charges"), every: 6, do: lose},
		},
		rest: 10 * time.Second,
	},
	{
		Name: "skipped-compensation",
		rest: 10 * time.Second,
	},
}

const redelivered = 45 * time.Second
