package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Machine is where a result was made: what has to be the same for absolute figures to be comparable.
type Machine struct {
	CPU      string            `json:"cpu"`
	Cores    int               `json:"cores"`
	Memory   int64             `json:"memory_bytes,omitempty"`
	Kernel   string            `json:"kernel"`
	Go       string            `json:"go"`
	Postgres string            `json:"postgres"`
	NATS     string            `json:"nats,omitempty"`
	Settings map[string]string `json:"postgres_settings"`
}

// durability are the settings without which a figure about writing means nothing.
var durability = []string{"synchronous_commit", "fsync", "shared_buffers", "max_connections"}

func describeMachine(ctx context.Context, conn *pgx.Conn, f *flow) (Machine, error) {
	m := Machine{
		CPU:      cpuModel(ctx),
		Cores:    runtime.NumCPU(),
		Memory:   memorySize(ctx),
		Kernel:   output(ctx, "uname", "-sr"),
		Go:       runtime.Version(),
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
		m.NATS = f.nats.ConnectedServerVersion()
	}
	return m, nil
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
	kb, _ := kilobytes(string(content), "MemTotal:")
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
