package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"banyan/scripts/lab/up"
)

type stepsCommand struct{}

type stepShown struct {
	Step     int    `json:"step"`
	Leaves   string `json:"leaves"`
	Teaches  string `json:"teaches"`
	Runnable bool   `json:"runnable"`
	URL      string `json:"url,omitempty"` // where it runs
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
		s := stepShown{step.Number, step.Leaves, step.Teaches, step.Runnable(), ""}
		switch {
		case slices.Contains(step.Processes, "gateway"):
			s.URL = state.GatewayURL
		case slices.Contains(step.Processes, "monolith"):
			s.URL = state.MonolithURL
		}
		shown = append(shown, s)
	}
	if line.JSON {
		return json.NewEncoder(to.out).Encode(shown)
	}

	table := tabwriter.NewWriter(to.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "STEP\tLEAVES THE MONOLITH\tTEACHES\tSTATE")
	for _, s := range shown {
		what := "not yet"
		switch {
		case s.URL != "":
			what = "runs at " + s.URL
		case s.Runnable:
			what = fmt.Sprintf("lab up --step %d", s.Step)
		}
		fmt.Fprintln(table, strings.Join([]string{fmt.Sprint(s.Step), s.Leaves, s.Teaches, what}, "\t"))
	}
	return table.Flush()
}
