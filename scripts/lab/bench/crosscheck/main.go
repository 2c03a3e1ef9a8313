// Crosscheck holds the benchmark's load generator against another, vegeta: both ask the same monolith for the same pages,
// at a fixed rate and as fast as it answers, in turns. If ours saw other rates or other latencies, its figures would be
// worth nothing.
//
//	go run ./scripts/lab/bench/crosscheck
//
// It starts a lab of its own, and builds vegeta with go install; the module does not depend on it.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"banyan/scripts/lab/seed"
	"banyan/scripts/lab/up"
	"banyan/scripts/lab/workload"
)

const vegeta = "github.com/tsenart/vegeta/v12@v12.13.0"

// connections is how many each generator has, and all that it may have.
const connections = 16

func main() {
	rate := flag.Float64("rate", 500, "requests per second of the open loop")
	length := flag.Duration("length", 5*time.Second, "how long a round lasts")
	rounds := flag.Int("rounds", 5, "rounds per generator and kind of loop")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *rate, *length, *rounds)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "crosscheck:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, rate float64, length time.Duration, rounds int) error {
	return up.Folder(ctx, nil, func(dir string) error {
		fmt.Fprintln(os.Stderr, "building vegeta")
		build := exec.CommandContext(ctx, "go", "install", vegeta)
		build.Env = append(os.Environ(), "GOBIN="+dir)
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build vegeta: %w\n%s", err, out)
		}
		return up.With(ctx, up.Options{
			Only: up.Monolith, Dir: filepath.Join(dir, "lab"), SeedSize: "small", RandomPorts: true, Out: os.Stderr,
		}, func(ctx context.Context, lab *up.Lab) error {
			c := &check{base: lab.MonolithURL(), paths: pages(), vegeta: filepath.Join(dir, "vegeta"), length: length}
			return c.all(ctx, rate, rounds)
		})
	})
}

// all holds the generators against each other in both kinds of loop.
func (c *check) all(ctx context.Context, rate float64, rounds int) error {
	fmt.Printf("| | generator | requests/s | mean ms | p50 ms | p95 ms | p99 ms | errors |\n|---|---|---:|---:|---:|---:|---:|---:|\n")
	agree := true
	for _, loop := range []struct {
		name string
		rate float64
	}{{fmt.Sprintf("open loop, %g/s", rate), rate}, {"closed loop", 0}} {
		ours, theirs, err := c.compare(ctx, loop.rate, rounds)
		if err != nil {
			return err
		}
		ours.print(loop.name, "lab bench")
		theirs.print("", "vegeta")
		if loop.rate == 0 {
			// Shown and not judged: as fast as can be is as fast as the generator leaves the machine to the server.
			continue
		}
		if err := restless(ours, theirs); err != nil {
			return fmt.Errorf("%s: %w", loop.name, err)
		}
		for _, problem := range differences(ours, theirs) {
			agree = false
			fmt.Fprintf(os.Stderr, "%s: %s\n", loop.name, problem)
		}
	}
	if !agree {
		return errors.New("the generators do not agree: on a machine that does nothing else that must not be")
	}
	fmt.Fprintln(os.Stderr, "The generators agree within noise at the fixed rate.")
	return nil
}

// pages are what is asked for: books, and lists by subject.
func pages() []string {
	data := seed.Generate(seed.Small)
	var paths []string
	for i, book := range data.Books[:200] {
		paths = append(paths, "/v1/books/"+book.ID.String())
		if i%4 == 0 {
			paths = append(paths, "/v1/books?"+url.Values{"subject": {book.Subject}, "sort": {"newest"}}.Encode())
		}
	}
	return paths
}

// check is what both generators get.
type check struct {
	base   string
	paths  []string
	vegeta string
	length time.Duration
}

// compare lets the generators take turns; a first round of each is thrown away.
func (c *check) compare(ctx context.Context, rate float64, rounds int) (ours, theirs series, err error) {
	for round := range rounds + 1 {
		mine, err := c.own(ctx, rate)
		if err != nil {
			return nil, nil, err
		}
		other, err := c.attack(ctx, rate)
		if err != nil {
			return nil, nil, err
		}
		if round > 0 {
			ours, theirs = append(ours, mine), append(theirs, other)
		}
	}
	return ours, theirs, nil
}

func (c *check) own(ctx context.Context, rate float64) (sample, error) {
	r, err := workload.Replay(ctx, c.base, c.paths, connections, rate, c.length)
	if err != nil {
		return sample{}, err
	}
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return sample{rate: r.Rate, mean: ms(r.Mean), p50: ms(r.Percentile(50)), p95: ms(r.Percentile(95)), p99: ms(r.Percentile(99)),
		errors: float64(r.Errors)}, nil
}

// attack runs vegeta with as many workers, each of which has a connection.
func (c *check) attack(ctx context.Context, rate float64) (sample, error) {
	var targets strings.Builder
	for _, path := range c.paths {
		fmt.Fprintf(&targets, "GET %s%s\nAccept: application/json\n\n", c.base, path)
	}
	at := "0" // as fast as possible
	if rate > 0 {
		at = strconv.FormatFloat(rate, 'f', -1, 64)
	}
	n := strconv.Itoa(connections)
	attack := exec.CommandContext(ctx, c.vegeta, "attack", "-rate", at, "-duration", c.length.String(),
		"-workers", n, "-max-workers", n, "-max-connections", n, "-connections", n, "-max-body", "-1")
	attack.Stdin = strings.NewReader(targets.String())
	var raw, trouble bytes.Buffer
	attack.Stdout, attack.Stderr = &raw, &trouble
	if err := attack.Run(); err != nil {
		return sample{}, fmt.Errorf("vegeta attack: %w: %s", err, trouble.String())
	}
	report := exec.CommandContext(ctx, c.vegeta, "report", "-type", "json")
	report.Stdin = &raw
	out, err := report.Output()
	if err != nil {
		return sample{}, fmt.Errorf("vegeta report: %w", err)
	}
	return parseVegeta(out)
}

// parseVegeta reads vegeta's report; its latencies are in nanoseconds.
func parseVegeta(content []byte) (sample, error) {
	var report struct {
		Latencies struct {
			Mean float64 `json:"mean"`
			P50  float64 `json:"50th"`
			P95  float64 `json:"95th"`
			P99  float64 `json:"99th"`
		} `json:"latencies"`
		Requests   float64 `json:"requests"`
		Throughput float64 `json:"throughput"` // successes until the last answer
		Success    float64 `json:"success"`
	}
	if err := json.Unmarshal(content, &report); err != nil {
		return sample{}, fmt.Errorf("read vegeta's report: %w", err)
	}
	if report.Requests == 0 {
		return sample{}, errors.New("vegeta's report has no requests")
	}
	l := report.Latencies
	return sample{rate: report.Throughput, mean: l.Mean / 1e6, p50: l.P50 / 1e6, p95: l.P95 / 1e6, p99: l.P99 / 1e6,
		errors: report.Requests * (1 - report.Success)}, nil
}
