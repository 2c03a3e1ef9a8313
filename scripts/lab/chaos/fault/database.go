package fault

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
)

// terminateBackends ends connections of the side's processes at random, one after the other, whatever they are doing.
func (w *World) terminateBackends(ctx context.Context, s Step) (Made, error) {
	const times, every = 10, 50 * time.Millisecond
	conn, err := postgres.Connect(ctx, w.Lab.DatabaseURL(w.Side))
	if err != nil {
		return Made{}, fmt.Errorf("reach the database: %w", err)
	}
	defer conn.Close(ctx)
	random := rand.New(rand.NewPCG(s.Seed, 0))
	ended := map[string]int{}
	for range times {
		// Those in the middle of something first: others would hardly notice.
		rows, err := conn.Query(ctx, `
			select pid, application_name
			from pg_stat_activity
			where application_name = any($1)
			order by state = 'idle', pid`, w.applications())
		if err != nil {
			return Made{}, fmt.Errorf("look who is connected: %w", err)
		}
		type backend struct {
			PID         int32
			Application string
		}
		all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[backend])
		if err != nil {
			return Made{}, fmt.Errorf("look who is connected: %w", err)
		}
		if len(all) > 0 {
			chosen := all[random.IntN(max(1, min(len(all), 3+random.IntN(len(all)))))]
			if _, err := conn.Exec(ctx, `select pg_terminate_backend($1)`, chosen.PID); err != nil {
				return Made{}, fmt.Errorf("end a backend: %w", err)
			}
			ended[chosen.Application]++
		}
		select {
		case <-ctx.Done():
			return Made{}, context.Cause(ctx)
		case <-time.After(every):
		}
	}
	total := 0
	for _, n := range ended {
		total += n
	}
	if total == 0 {
		return Made{}, fmt.Errorf("nobody was connected to the database")
	}
	return Made{Ended: time.Now(), Note: fmt.Sprintf("%d connections of %d", total, len(ended))}, nil
}

// pauseBackends stops the server's other processes, or lets them go on: the lab's own signal reaches only the one that
// lets connections in.
func pauseBackends(ctx context.Context, postmaster int, signal syscall.Signal) error {
	out, err := exec.CommandContext(ctx, "pgrep", "-P", strconv.Itoa(postmaster)).Output()
	if err != nil {
		return fmt.Errorf("look for PostgreSQL's processes by pgrep: %w", err)
	}
	for _, text := range strings.Fields(string(out)) {
		pid, err := strconv.Atoi(text)
		if err != nil || pid <= 1 {
			continue
		}
		if err := syscall.Kill(pid, signal); err != nil && err != syscall.ESRCH {
			return fmt.Errorf("send %s to PostgreSQL's process %d: %w", signal, pid, err)
		}
	}
	return nil
}
