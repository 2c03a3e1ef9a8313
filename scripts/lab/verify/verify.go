// Package verify runs the contract suite against shops that are running.
package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// Target is a shop to judge.
type Target struct {
	Name string
	URL  string
}

// Verdict is what the suite says of one target.
type Verdict struct {
	Target  string  `json:"target"`
	URL     string  `json:"url"`
	Passed  bool    `json:"passed"`
	Seconds float64 `json:"seconds"`
}

// Run judges the targets one after another and writes the suite's own output to out. Flags are passed on to
// go test, and those after "--" to the suite. A target that fails is no error.
func Run(ctx context.Context, root string, targets []Target, flags []string, out io.Writer) ([]Verdict, error) {
	var verdicts []Verdict
	for _, target := range targets {
		fmt.Fprintf(out, "--- %s at %s\n", target.Name, target.URL)
		began := time.Now()
		err := run(ctx, root, command(target.URL, flags), out)
		var failed *exec.ExitError
		if err != nil && (ctx.Err() != nil || !errors.As(err, &failed)) {
			return verdicts, fmt.Errorf("run the contract suite: %w", err)
		}
		verdicts = append(verdicts, Verdict{target.Name, target.URL, err == nil, time.Since(began).Seconds()})
	}
	return verdicts, nil
}

// command is the arguments of go for one target.
func command(url string, flags []string) []string {
	forGo, forSuite := flags, []string(nil)
	if i := slices.Index(flags, "--"); i >= 0 {
		forGo, forSuite = flags[:i], flags[i+1:]
	}
	args := append([]string{"test", "./scripts/contract", "-count=1"}, forGo...)
	args = append(args, "-args", "-target", url)
	return append(args, forSuite...)
}

func run(ctx context.Context, root string, args []string, out io.Writer) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	cmd.Env = os.Environ()
	cmd.Stdout, cmd.Stderr = out, out
	// The go command passes an interrupt on to the tests; a kill would leave them behind.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 5 * time.Second
	return cmd.Run()
}
