package limits

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"banyan/internal/local"
	"banyan/scripts/lab/bench/drive"
	"banyan/scripts/lab/buy"
	"banyan/scripts/lab/gauge"
	"banyan/scripts/lab/load"
	"banyan/scripts/lab/seed"
	"banyan/scripts/lab/up"
)

// world is where a run measures.
type world struct {
	options Options
	began   time.Time
	root    string // of the repository
	dir     string // of the run
	probe   string // the program with the things to compare with
	gateway string // the shop's own

	lab    *up.Lab // nil unless a probe needs it
	idle   time.Time
	detour *detour
	data   *seed.Data
	extra  []*local.Process

	checkout *checkoutWorld
}

// prepare builds what there is to build, so that no probe pays for it.
func (w *world) prepare(ctx context.Context) error {
	var err error
	if w.root, err = up.Root(); err != nil {
		return err
	}
	w.data = seed.Generate(seed.Small)
	w.say("building")
	w.probe, w.gateway = filepath.Join(w.dir, "bin", "probe"), filepath.Join(w.dir, "bin", "gateway")
	for path, of := range map[string]string{w.probe: "./scripts/lab/bench/limits/probe", w.gateway: "./services/gateway"} {
		if err := w.goTool(ctx, nil, "build", "-buildvcs=false", "-o", path, of); err != nil {
			return err
		}
	}
	return nil
}

// goTool runs the Go tool in the repository.
func (w *world) goTool(ctx context.Context, env []string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = w.root, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("go %s: %w\n%s", args[0], err, out)
	}
	return nil
}

// withShop starts a lab of both sides, in which one book has been bought on each. Nobody else uses it.
func (w *world) withShop(ctx context.Context, do func(context.Context) error) (err error) {
	w.say("starting a lab")
	w.detour = newDetour()
	defer func() { err = errors.Join(err, w.detour.Close()) }()
	return up.With(ctx, up.Options{
		Dir: filepath.Join(w.dir, "lab"), SeedSize: "small", RandomPorts: true, Via: w.detour.Via,
		// One address asks for everything. The limiter stays on.
		Env: map[string][]string{"gateway": {"RATE_LIMIT=1000000/s"}},
	}, func(ctx context.Context, lab *up.Lab) error {
		w.lab = lab
		for _, url := range []string{lab.MonolithURL(), lab.GatewayURL()} {
			if err := w.buyOne(ctx, url, lab.OutsideURL()); err != nil {
				return err
			}
		}
		w.idle = time.Now()
		defer w.close()
		return do(ctx)
	})
}

// buyOne buys a book and waits until the receipt has come.
func (w *world) buyOne(ctx context.Context, url, outside string) error {
	login := buy.Login{Email: "limits@banyan.example", Password: "a long password for limits"}
	_, err := buy.Book(ctx, discard{}, buy.Shop{URL: url, OutsideURL: outside}, login)
	return err
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// start runs a program beside the lab until close, or stop.
func (w *world) start(ctx context.Context, address string, command local.Command) (*local.Process, error) {
	command.Log = filepath.Join(w.dir, command.Name+".log")
	process, err := local.Start(ctx, command)
	if err != nil {
		return nil, err
	}
	w.extra = append(w.extra, process)
	for {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err == nil {
			_ = conn.Close()
			return process, nil
		}
		select {
		case <-process.Done():
			log, _ := os.ReadFile(command.Log)
			return nil, fmt.Errorf("%s ended by itself: %w: %s", command.Name, process.Err(), log)
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stopExtra ends the programs beside the lab.
func (w *world) stopExtra(ctx context.Context) error {
	var stopping sync.WaitGroup
	problems := make([]error, len(w.extra))
	for i, process := range w.extra {
		stopping.Go(func() { problems[i] = process.Stop(ctx) })
	}
	stopping.Wait()
	w.extra = nil
	return errors.Join(problems...)
}

func (w *world) close() {
	if w.checkout != nil {
		w.checkout.close()
	}
}

func (w *world) say(format string, args ...any) {
	fmt.Fprintf(w.options.Out, "%6.1fs  %s\n", time.Since(w.began).Seconds(), fmt.Sprintf(format, args...))
}

// freeAddress is one of 127.0.0.1 where nobody listens.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

// contender is one of those that are compared.
type contender struct {
	name    string
	base    string
	pid     int // whose CPU is counted; 0: nobody's
	request func(n int) drive.Request
}

// lap is one round of one contender.
type lap struct {
	rate  float64 // requests/s
	cpu   float64 // µs per request
	p99ms float64
}

// clients is how many ask at once, as the benchmark's browsers do.
const clients = 16

// inTurns lets the contenders run, all in each round; a first round is thrown away. The result is by contender.
func (w *world) inTurns(ctx context.Context, contenders []contender, run func(context.Context, drive.Load) (*load.Tally, error)) (map[string][]lap, error) {
	laps := map[string][]lap{}
	for round := range w.options.Rounds + 1 {
		for _, c := range contenders {
			length := w.options.Length
			if round == 0 {
				length /= 3
			}
			before := cpuOf(c.pid)
			result, err := run(ctx, drive.Load{Base: c.base, Clients: clients, Length: length, Request: c.request})
			if err == nil {
				err = result.Good()
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			if round > 0 {
				laps[c.name] = append(laps[c.name], lap{
					rate: result.Rate(), p99ms: float64(result.Served.Percentile(99).Microseconds()) / 1000,
					cpu: float64((cpuOf(c.pid) - before).Microseconds()) / float64(result.Requests()),
				})
			}
		}
	}
	return laps, nil
}

func cpuOf(pid int) time.Duration {
	if pid == 0 {
		return 0
	}
	used, err := gauge.CPU(pid)
	if err != nil {
		return 0 // no /proc
	}
	return used
}

// ratios are those of a value of two contenders, round by round.
func ratios(over, under []lap, value func(lap) float64) []float64 {
	var each []float64
	for i := range over {
		each = append(each, value(over[i])/value(under[i]))
	}
	return each
}

func rate(l lap) float64 { return l.rate }
func cpu(l lap) float64  { return l.cpu }

// each is one value of all laps.
func each(laps []lap, value func(lap) float64) []float64 {
	var all []float64
	for _, l := range laps {
		all = append(all, value(l))
	}
	return all
}
