package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"banyan/scripts/lab/up"
)

type stepsCommand struct {
	Routes bool `help:"Show the gateway's table of routes of each step."`
}

func (c *stepsCommand) Help() string {
	return "Shows the ladder: what leaves the monolith at each step, what that teaches, which data move, and which step runs here."
}

type stepShown struct {
	Step      int      `json:"step"`
	Leaves    string   `json:"leaves"`
	Teaches   string   `json:"teaches"`
	Moves     string   `json:"moves,omitempty"`   // tables, as they are
	Derives   string   `json:"derives,omitempty"` // what the service keeps of others' data
	Processes []string `json:"processes"`
	Durables  []string `json:"durables"` // the consumers that read the stream
	Trunk     []string `json:"trunk"`    // what the trunk is told
	*up.Table          // its routes, if they were asked for
	URL       string   `json:"url,omitempty"` // where it runs
}

func (c *stepsCommand) Run(line *commands, to streams) error {
	state, err := up.Running(line.Dir)
	if errors.Is(err, up.ErrNotRunning) {
		state = &up.State{}
	} else if err != nil {
		return err
	}

	var shown []stepShown
	for _, step := range up.Ladder {
		s := stepShown{
			Step: step.Number, Leaves: step.Leaves(), Teaches: step.Teaches, Moves: step.Moves, Derives: step.Derives,
			Processes: step.Processes(), Durables: step.Durables(), Trunk: step.TrunkVariables(),
		}
		if c.Routes {
			table := step.Routes()
			s.Table = &table
		}
		if step.Number == state.Step {
			s.URL = state.GatewayURL
		}
		shown = append(shown, s)
	}
	switch {
	case line.JSON:
		return json.NewEncoder(to.out).Encode(shown)
	case c.Routes:
		return printRoutes(to.out, shown)
	}
	return printSteps(to.out, shown)
}

func printSteps(out io.Writer, shown []stepShown) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "STEP\tLEAVES THE MONOLITH\tTEACHES\tPROCESSES\tSTATE")
	for _, s := range shown {
		what := fmt.Sprintf("lab up --step %d", s.Step)
		if s.URL != "" {
			what = "runs at " + s.URL
		}
		row := []string{fmt.Sprint(s.Step), s.Leaves, s.Teaches, fmt.Sprint(len(s.Processes)), what}
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out)
	table = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "STEP\tMOVES AS IT IS\tIS DERIVED")
	for _, s := range shown {
		if s.Moves != "" {
			fmt.Fprintf(table, "%d\t%s\t%s\n", s.Step, s.Moves, s.Derives)
		}
	}
	return table.Flush()
}

func printRoutes(out io.Writer, shown []stepShown) error {
	for _, s := range shown {
		if len(s.Routes) == 0 {
			fmt.Fprintf(out, "step %d has no gateway: customers talk to the trunk\n\n", s.Step)
			continue
		}
		text, err := s.Table.Text()
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "step %d\n%s\n", s.Step, text)
	}
	return nil
}
