package up

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"banyan/internal/local"
)

// await is the start of a process that somebody else starts, in a debugger perhaps: it writes the environment down, says
// how to use it, and waits until the process is ready.
func (l *Lab) await(name, probe string) func(context.Context) (*local.Process, error) {
	return func(ctx context.Context) (*local.Process, error) {
		env, err := l.settings.environmentAs(l.partOf(name), name, l.settings.addresses[name])
		if err != nil {
			return nil, err
		}
		env = slices.DeleteFunc(env, func(variable string) bool {
			key, _, _ := strings.Cut(variable, "=")
			return slices.Contains(inherited, key)
		})
		file := filepath.Join(l.options.Dir, name+".env")
		if err := os.WriteFile(file, []byte(strings.Join(quoted(env), "\n")+"\n"), 0o600); err != nil {
			return nil, fmt.Errorf("write the environment of %s: %w", name, err)
		}
		l.reserved.release(name)
		l.progress.say("%s is left out. Its environment, also in %s:", name, file)
		for _, variable := range quoted(env) {
			l.progress.say("  %s", variable)
		}
		l.progress.say("start it with that in another terminal, or give the file to a debugger as its envFile:")
		l.progress.say("  (set -a; . %s; go run %s)", file, packageOf(name))
		l.progress.say("waiting until %s answers …", probe)
		for {
			if _, err := ask(ctx, probe); err == nil {
				l.progress.say("%s is ready", name)
				return nil, nil
			}
			select {
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			case <-time.After(200 * time.Millisecond):
			}
		}
	}
}

// quoted are variables as a shell reads them.
func quoted(env []string) []string {
	var lines []string
	for _, variable := range env {
		key, value, _ := strings.Cut(variable, "=")
		lines = append(lines, key+"='"+strings.ReplaceAll(value, "'", `'\''`)+"'")
	}
	return lines
}
