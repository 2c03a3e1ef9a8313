package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"banyan/scripts/lab/up"
)

// printer is a report for people; as JSON it is one for machines.
type printer interface{ Print(io.Writer) error }

// onEachSide is onSides for both, or for one only.
func onEachSide[R printer](only string, line *commands, to streams, run func(side string) (R, error), verdict func(R) error) error {
	sides := []string{up.Monolith, up.Services}
	if only != "" {
		sides = []string{only}
	}
	return onSides(sides, line, to, run, verdict)
}

// onSides makes a run on each side, shows what came of it, and returns what the verdicts object to.
func onSides[R printer](sides []string, line *commands, to streams, run func(side string) (R, error), verdict func(R) error) error {
	var reports []R
	var failed error
	for _, side := range sides {
		report, err := run(side)
		if err != nil {
			return err
		}
		reports = append(reports, report)
		failed = errors.Join(failed, verdict(report))
		if !line.JSON {
			if err := report.Print(to.out); err != nil {
				return err
			}
		}
	}
	if line.JSON {
		if err := json.NewEncoder(to.out).Encode(reports); err != nil {
			return err
		}
	}
	return failed
}

// inFolder makes a run in a folder of its own, which is kept if the run has to be looked into.
func inFolder[R any](ctx context.Context, to streams, run func(dir string) (R, error), verdict func(R) error) (R, error) {
	dir, err := labFolder()
	if err != nil {
		var none R
		return none, err
	}
	report, err := run(dir)
	if ctx.Err() == nil && (err != nil || verdict(report) != nil) {
		fmt.Fprintf(to.err, "The lab's logs and data are kept in %s\n", dir)
		return report, err
	}
	return report, errors.Join(err, up.Wipe(dir), os.RemoveAll(dir))
}
