package main

import (
	"errors"
	"fmt"
	"os"

	"banyan/internal/fault"
)

// loadTable puts the table of a file into force. It is for the start: nothing is asked of the gateway yet.
func (g *gateway) loadTable(file string) error {
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := g.replace(body); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// replace puts a table into force, as a whole or not at all. Requests that are under way keep the table with which they
// began. What both tables name goes on as it was; the idle connections to the others are closed.
func (g *gateway) replace(body []byte) error {
	g.replacing.Lock()
	defer g.replacing.Unlock()
	before := g.table.Load()
	next, err := parseTable(body, before)
	if err != nil {
		return err
	}
	if next.exchange != nil {
		if next.exchanges() && g.bearer == nil {
			return errors.New("exchange: SERVICE_KEY is not set, and the gateway needs it to exchange tokens; start the gateway with one")
		}
		next.exchange.sign(g.bearer)
	}
	g.door.Divide(next.prefixes()...)
	g.table.Store(next)
	if before != nil {
		g.replaced.Add(1)
		before.closeBut(next)
	}
	return nil
}

var errBadTable = fault.New(fault.Invalid, "bad-routes", "The table of routes is not acceptable. The one before stays in force.")

// badTable is the problem that lists everything that is wrong with a table.
func badTable(err error) error {
	faults := []error{err}
	if all, several := err.(interface{ Unwrap() []error }); several {
		faults = all.Unwrap()
	}
	problem := errBadTable
	for _, one := range faults {
		problem = problem.WithFields(fault.Field{Name: "routes", Detail: one.Error()})
	}
	return problem
}
