package limits

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"banyan/internal/local"
	"banyan/internal/postgres"
	"banyan/scripts/lab/gauge"
	"banyan/scripts/lab/up"
)

// fleet are the services, the gateway included.
var fleet = up.Ladder[up.LastStep].Processes()

// startWarm types what the README says, with everything built before, and buys on both sides.
func startWarm(ctx context.Context, w *world) ([]Figure, error) {
	build := []string{"build", "-buildvcs=false", "-ldflags=-w", "-o", filepath.Join(w.dir, "warm") + "/", "./scripts/lab", "./scripts/outside", "./monolith"}
	for _, service := range fleet {
		build = append(build, "./services/"+service)
	}
	if err := w.goTool(ctx, nil, build...); err != nil {
		return nil, err
	}
	// The first time links what go run links; only the second is warm.
	if _, err := w.startAndBuy(ctx, nil); err != nil {
		return nil, err
	}
	took, err := w.startAndBuy(ctx, nil)
	if err != nil {
		return nil, err
	}
	return []Figure{{Key: "13 warm", Value: took.Seconds(),
		Notes: []string{"from go run ./scripts/lab up, with no data, until the receipts of an order on each side have come by mail"}}}, nil
}

// startCold is the same with a build cache that is empty.
func startCold(ctx context.Context, w *world) ([]Figure, error) {
	cache := filepath.Join(w.dir, "go-build")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return nil, err
	}
	took, err := w.startAndBuy(ctx, []string{"GOCACHE=" + cache})
	if err != nil {
		return nil, err
	}
	return []Figure{{Key: "13 cold", Value: took.Seconds(), Notes: []string{"the modules are downloaded; nothing is built"}}}, nil
}

// startAndBuy is the time from the command to the receipts.
func (w *world) startAndBuy(ctx context.Context, env []string) (took time.Duration, err error) {
	dir := filepath.Join(w.dir, "start")
	log := filepath.Join(w.dir, "start.log")
	// Below the ports that connections are given; the lab says so if somebody has one already.
	offset := strconv.Itoa(3_000 + 500*rand.IntN(40))
	began := time.Now()
	process, err := local.Start(ctx, local.Command{
		Name: "lab up", Path: "go", Args: []string{"run", "./scripts/lab", "up", "--fresh", "--dir", dir, "--port-offset", offset},
		Dir: w.root, Env: append(os.Environ(), env...), Log: log,
		StopSignals: []syscall.Signal{syscall.SIGINT}, Grace: 30 * time.Second,
	})
	if err != nil {
		return 0, err
	}
	defer func() {
		stopped := process.Stop(context.WithoutCancel(ctx))
		// go run may end before the lab, which still stops its servers.
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			if _, running := up.Running(dir); running == up.ErrNotRunning {
				break
			}
		}
		if err == nil {
			err = stopped
		}
		_ = os.RemoveAll(dir)
	}()
	var state *up.State
	for state == nil {
		if found, err := up.Running(dir); err == nil {
			state = found
			break
		}
		select {
		case <-process.Done():
			said, _ := os.ReadFile(log)
			_, reason, _ := strings.Cut(string(said), "\nlab: ")
			return 0, fmt.Errorf("lab up ended by itself: %s", strings.Join(strings.Fields(reason), " "))
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
	for _, url := range []string{state.MonolithURL, state.GatewayURL} {
		if err := w.buyOne(ctx, url, state.OutsideURL); err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}

// idleFor is how long a lab has to do nothing before its memory is looked at: a pool closes a connection that was idle
// for a minute, and looks every 15 s.
const idleFor = 80 * time.Second

// idleMemory is the proportional set size of what a lab runs, some time after the last purchase.
func idleMemory(ctx context.Context, w *world) (_ []Figure, err error) {
	lab := w.lab
	if left := idleFor - time.Since(w.idle); left > 0 {
		w.say("  waiting %.0f s for the pools to shrink", left.Seconds())
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(left):
		}
	}
	parts := map[string]float64{}
	state := lab.State()
	for _, process := range state.Processes {
		pids := []int{process.PID}
		if process.Name == "postgres" {
			if pids, err = backends(ctx, lab.DatabaseURL(up.Services), process.PID); err != nil {
				return nil, err
			}
		}
		for _, pid := range pids {
			bytes, err := proportional(pid)
			if err != nil {
				return nil, err
			}
			parts[process.Name+", MiB"] += float64(bytes) / (1 << 20)
		}
	}
	var all, most float64
	for _, size := range parts {
		all += size
	}
	for _, service := range fleet {
		most = max(most, parts[service+", MiB"])
	}
	notes := []string{fmt.Sprintf("%.0f s after one purchase on each side, whose passwords were hashed with Argon2id by accounts and the monolith",
		time.Since(w.idle).Seconds())}
	return []Figure{
		{Key: "11 service", Value: most, Parts: parts, Notes: notes},
		{Key: "11 lab", Value: all, Notes: notes},
	}, nil
}

// backends are the processes of the server, but for the one that this question is put to.
func backends(ctx context.Context, url string, postmaster int) ([]int, error) {
	conn, err := postgres.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	rows, err := conn.Query(ctx, `select pid from pg_stat_activity where pid <> pg_backend_pid()`)
	if err != nil {
		return nil, err
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	return append(pids, postmaster), err
}

// proportional is a process's memory in bytes, of shared pages its share. Zero for a process that has ended.
func proportional(pid int) (int64, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if os.IsNotExist(err) {
		if _, none := os.Stat("/proc/self/smaps_rollup"); none != nil {
			return 0, skip("this system does not tell the proportional set size")
		}
		return 0, nil
	}
	if os.IsPermission(err) {
		return 0, skip("the proportional set size of PostgreSQL's processes may not be read by this user")
	}
	if err != nil {
		return 0, err
	}
	kb, found := gauge.Kilobytes(string(content), "Pss:")
	if !found {
		return 0, fmt.Errorf("/proc/%d/smaps_rollup has no line Pss", pid)
	}
	return kb * 1024, nil
}

// execToReady restarts each service three times, and takes the time to the first 200 of /readyz.
func execToReady(ctx context.Context, w *world) ([]Figure, error) {
	lab := w.lab
	parts := map[string]float64{}
	var slowest []float64
	for round := range 3 {
		worst := 0.0
		for _, service := range fleet {
			process := lab.Process(service)
			if err := process.Stop(ctx); err != nil {
				return nil, err
			}
			took, err := readyAfter(ctx, process)
			if err != nil {
				return nil, err
			}
			worst = max(worst, took)
			if name := service + ", ms"; round == 0 {
				parts[name] = took
			} else {
				parts[name] = min(parts[name], took)
			}
		}
		slowest = append(slowest, worst)
	}
	return []Figure{{Key: "12", Value: median(slowest), Rounds: slowest, Parts: parts,
		Notes: []string{"the slowest service of each round; the parts are each one's best"}}}, nil
}

// readyAfter starts a process and looks by itself, more often than the lab does.
func readyAfter(ctx context.Context, process *up.Process) (ms float64, err error) {
	began := time.Now()
	restarted := make(chan error, 1)
	go func() { restarted <- process.Restart(ctx) }()
	client := http.Client{Timeout: time.Second}
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, process.OpsURL+"/readyz", nil)
		if err != nil {
			return 0, err
		}
		if response, err := client.Do(request); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				ms = float64(time.Since(began).Microseconds()) / 1000
				return ms, <-restarted
			}
		}
		select {
		case err := <-restarted:
			if err != nil {
				return 0, err
			}
			restarted <- nil
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-time.After(time.Millisecond):
		}
	}
}
