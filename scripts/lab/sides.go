package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"

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
func inFolder[R any](ctx context.Context, to streams, run func(dir string) (R, error), verdict func(R) error) (report R, err error) {
	var off error // what the verdict objects to; the report says it too, so it is no error of the run
	err = up.Folder(ctx, to.err, func(dir string) (err error) {
		if report, err = run(dir); err != nil {
			return err
		}
		off = verdict(report)
		return off
	})
	if off != nil {
		err = nil
	}
	return report, err
}
