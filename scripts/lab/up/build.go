package up

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
)

// Root is the root of the repository: the first folder from the working directory upwards that holds this
// module's go.mod.
func Root() (string, error) {
	working, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	for dir := working; ; dir = filepath.Dir(dir) {
		content, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.HasPrefix(content, []byte("module banyan\n")) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not inside the repository: run the lab in it, since it builds the programs from there", working)
		}
	}
}

// build makes the programs of the processes in bin, in one run of the Go tool, which does not repeat what
// it has done before.
// overlay is a file for its -overlay, or empty.
func build(ctx context.Context, root, bin string, processes []string, overlay string) error {
	// Linking is most of the time after a change, and a third of that is what only a debugger needs.
	args := []string{"build", "-buildvcs=false", "-ldflags=-w", "-o", bin + string(filepath.Separator)}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	for _, process := range processes {
		if of := packageOf(process); !slices.Contains(args, of) {
			args = append(args, of)
		}
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("the Go tool, which builds the programs, is not on PATH: install it from https://go.dev/dl")
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return fmt.Errorf("the programs do not build:\n%s", bytes.TrimSpace(out))
}

// programs are those that are built already. Sources that change while the lab runs reach the programs that are built
// afterwards, and no others.
type programs struct {
	mu   sync.Mutex
	done map[string]bool
}

// ensure builds the programs of the processes that are not there yet.
func (p *programs) ensure(ctx context.Context, l *Lab, processes ...string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	missing := slices.DeleteFunc(slices.Clone(processes), func(process string) bool { return p.done[programOf(process)] })
	if len(missing) == 0 {
		return nil
	}
	if err := build(ctx, l.root, filepath.Join(l.options.Dir, "bin"), missing, l.options.Overlay); err != nil {
		return err
	}
	if p.done == nil {
		p.done = map[string]bool{}
	}
	for _, process := range missing {
		p.done[programOf(process)] = true
	}
	return nil
}

func (p *programs) has(process string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done[programOf(process)]
}

// packageOf is where a process's program is in the repository.
func packageOf(process string) string {
	switch program := programOf(process); program {
	case Monolith:
		return "./monolith"
	case "outside":
		return "./scripts/outside"
	default:
		return "./services/" + program
	}
}

// programOf is the name of a process's program.
func programOf(process string) string {
	switch service := ServiceOf(process); service {
	case facade:
		return "gateway"
	case Trunk:
		return Monolith
	default:
		return service
	}
}
