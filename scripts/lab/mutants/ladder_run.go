package mutants

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"banyan/scripts/lab/up"
)

// LadderOptions say what to run. All fields are needed, except for Out.
type LadderOptions struct {
	Mutants []LadderMutant
	Dir     string    // an empty folder, for the programs
	Out     io.Writer // is told the progress; nil is silent
}

// RunLadder runs each mutant's test on what moves the areas as it is, and then with the mistake. The tests are built as
// programs before they run, so that a patch that does not build is an error, and no failure of a test.
func RunLadder(ctx context.Context, o LadderOptions) (*LadderReport, error) {
	if o.Out == nil {
		o.Out = io.Discard
	}
	root, err := up.Root()
	if err != nil {
		return nil, err
	}
	r, asItIs := &LadderReport{}, map[string]string{} // folder to program
	for _, m := range o.Mutants {
		p, err := readPatch(m.patch())
		if err != nil {
			return nil, err
		}
		if asItIs[m.folder] == "" {
			asItIs[m.folder] = filepath.Join(o.Dir, "correct-"+filepath.Base(m.folder)+".test")
			if err := buildTest(ctx, root, m.folder, asItIs[m.folder], ""); err != nil {
				return nil, err
			}
		}
		one := LadderMutantReport{Name: m.Name, Mistake: p.title(), Loses: m.loses, Test: m.test}
		if one.Correct, err = runTest(ctx, filepath.Join(root, m.folder), asItIs[m.folder], m.test); err != nil {
			return nil, fmt.Errorf("%s, as it is: %w", m.test, err)
		}
		overlay, err := p.overlay(ctx, root, filepath.Join(o.Dir, m.Name+"-source"))
		if err != nil {
			return nil, err
		}
		program := filepath.Join(o.Dir, m.Name+".test")
		if err := buildTest(ctx, root, m.folder, program, overlay); err != nil {
			return nil, fmt.Errorf("%s: %w", m.Name, err)
		}
		if one.Naive, err = runTest(ctx, filepath.Join(root, m.folder), program, m.test); err != nil {
			return nil, fmt.Errorf("%s with %s: %w", m.test, m.Name, err)
		}
		one.Caught = one.Correct.Passed && !one.Naive.Passed && strings.Contains(one.Naive.Says, m.says)
		fmt.Fprintf(o.Out, "%s: %s %s as it is, and %s with the mistake\n", m.Name, m.test, one.Correct.verdict(), one.Naive.verdict())
		r.Mutants = append(r.Mutants, one)
	}
	return r, nil
}

// buildTest builds the tests of a package, with its embedded files. An overlay may replace either.
func buildTest(ctx context.Context, root, folder, program, overlay string) error {
	args := []string{"test", "-c", "-o", program}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+folder)...)
	cmd.Dir = root
	said, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("the Go tool, which builds the tests, is not on PATH: install it from https://go.dev/dl")
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return fmt.Errorf("the tests of %s do not build:\n%s", folder, bytes.TrimSpace(said))
}

// testTime is how long a test may take on a machine that has much else to do.
const testTime = 5 * time.Minute

// runTest runs one test of a program in the package's folder. An error means that the test has come to no end: it does not
// exist, or the program has died or taken too long.
func runTest(ctx context.Context, folder, program, test string) (Outcome, error) {
	cmd := exec.CommandContext(ctx, program, "-test.v", "-test.count=1", "-test.run", "^"+test+"$", "-test.timeout", testTime.String())
	cmd.Dir = folder
	began := time.Now()
	said, err := cmd.CombinedOutput()
	took := time.Since(began)
	if ctx.Err() != nil {
		return Outcome{}, context.Cause(ctx)
	}
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		return Outcome{}, err
	}
	o, err := outcomeOf(test, string(said))
	o.Took = took
	return o, err
}

// place is how a test begins what it has to say.
var place = regexp.MustCompile(`(?m)^ +(\w+_test\.go:\d+): `)

// outcomeOf reads what a test has printed.
func outcomeOf(test, said string) (Outcome, error) {
	switch {
	case strings.Contains(said, "\npanic: "):
		return Outcome{}, fmt.Errorf("the test has come to no end:\n%s", said)
	case strings.Contains(said, "\n--- PASS: "+test+" "):
		return Outcome{Passed: true}, nil
	case !strings.Contains(said, "\n--- FAIL: "+test+" "):
		return Outcome{}, fmt.Errorf("the test has come to no end, or is not there:\n%s", said)
	}
	o := Outcome{Says: strings.TrimSpace(said)}
	if at := place.FindStringSubmatchIndex(said); at != nil {
		o.At = said[at[2]:at[3]]
		if says := assertion(said[at[1]:]); says != "" {
			o.Says = says
		}
	}
	return o, nil
}

// assertion is what an assertion of testify says, without its trace, its difference and the name of the test.
func assertion(said string) string {
	var parts []string
	label := ""
	for line := range strings.Lines(said) {
		if !strings.HasPrefix(strings.TrimLeft(line, " "), "\t") {
			if label != "" && strings.TrimSpace(line) != "" {
				break // of the next one
			}
			continue
		}
		field, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch field {
		case "Error Trace", "Error", "Test", "Messages":
			label = field
		default:
			rest = strings.TrimSpace(line)
		}
		if rest = strings.TrimSpace(rest); rest == "Diff:" {
			label = "Diff"
		}
		if rest != "" && (label == "Error" || label == "Messages") {
			parts = append(parts, rest)
		}
	}
	return strings.Join(parts, "\n")
}
