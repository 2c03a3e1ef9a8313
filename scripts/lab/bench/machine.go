package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"banyan/scripts/lab/gauge"
	"banyan/scripts/lab/up"
)

// Machine is where a result was made: what has to be the same for absolute figures to be comparable.
type Machine struct {
	CPU      string `json:"cpu"`
	Cores    int    `json:"cores"`
	Memory   int64  `json:"memory_bytes,omitempty"`
	Kernel   string `json:"kernel"`
	Go       string `json:"go"`
	Postgres string `json:"postgres"`
	NATS     string `json:"nats,omitempty"`
	// NATSSync is how long a message that the broker has acknowledged may be unsynced.
	NATSSync string `json:"nats_sync_interval,omitempty"`
	// Commit is what was measured; a + behind it says that the tree held changes.
	Commit   string            `json:"commit,omitempty"`
	Settings map[string]string `json:"postgres_settings"`
}

// durability are the settings without which a figure about writing means nothing.
var durability = []string{"synchronous_commit", "fsync", "shared_buffers", "max_connections", "wal_level", "max_wal_size", "checkpoint_timeout"}

func describeMachine(ctx context.Context, conn *pgx.Conn, f *flow) (Machine, error) {
	m := Machine{
		CPU:      cpuModel(ctx),
		Cores:    runtime.NumCPU(),
		Memory:   memorySize(ctx),
		Kernel:   output(ctx, "uname", "-sr"),
		Go:       runtime.Version(),
		Commit:   commit(ctx),
		Settings: map[string]string{},
	}
	if err := conn.QueryRow(ctx, `show server_version`).Scan(&m.Postgres); err != nil {
		return m, fmt.Errorf("ask PostgreSQL for its version: %w", err)
	}
	for _, name := range durability {
		var value string
		if err := conn.QueryRow(ctx, `select current_setting($1)`, name).Scan(&value); err != nil {
			return m, fmt.Errorf("ask PostgreSQL for %s: %w", name, err)
		}
		m.Settings[name] = value
	}
	if f != nil {
		m.NATS, m.NATSSync = f.shop.BrokerVersion(), syncInterval()
	}
	return m, nil
}

// syncInterval is what the broker's configuration says, which the lab starts it with.
func syncInterval() string {
	root, err := up.Root()
	if err != nil {
		return ""
	}
	content, err := os.ReadFile(filepath.Join(root, "deploy", "nats.conf"))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(content)) {
		if value, found := strings.CutPrefix(strings.TrimSpace(line), "sync_interval:"); found {
			return strings.Trim(value, ` "`)
		}
	}
	return ""
}

// commit is that of the working directory; empty where there is none.
func commit(ctx context.Context) string {
	hash := output(ctx, "git", "rev-parse", "--short=12", "HEAD")
	if hash != "" && output(ctx, "git", "status", "--porcelain", "--untracked-files=no") != "" {
		hash += "+"
	}
	return hash
}

func cpuModel(ctx context.Context) string {
	content, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return output(ctx, "sysctl", "-n", "machdep.cpu.brand_string") // macOS
	}
	for line := range strings.Lines(string(content)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH // not every architecture tells
}

func memorySize(ctx context.Context) int64 {
	content, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		bytes, _ := strconv.ParseInt(output(ctx, "sysctl", "-n", "hw.memsize"), 10, 64) // macOS
		return bytes
	}
	kb, _ := gauge.Kilobytes(string(content), "MemTotal:")
	return kb * 1024
}

// output is what a program prints; empty if it cannot be asked.
func output(ctx context.Context, program string, args ...string) string {
	text, err := exec.CommandContext(ctx, program, args...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
