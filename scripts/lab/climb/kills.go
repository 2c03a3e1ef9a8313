package climb

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"banyan/scripts/lab/up"
)

// kill is one process that dies by SIGKILL, at a boundary of the move that the tool tells of, or some time after it.
type kill struct {
	victim string // tool, or a process of the lab
	line   string // of what the tool says
	after  time.Duration
	name   string // of the command
	area   string
	done   bool
}

func (k *kill) String() string {
	return fmt.Sprintf("%s, %s after %q", k.victim, k.after.Round(time.Millisecond), k.line)
}

// boundaries are what the tool says at the boundaries of a move, in the order in which they come. Only extract has all.
var boundaries = map[string][]string{
	"extract":  {"note", "backfill", "verify", "stand by", "holding", "stopping", "handing over", "routing", "let go"},
	"rollback": {"rehearse", "verify", "holding", "stopping", "handing over", "routing", "let go"},
	"switch":   {"rehearse", "verify", "holding", "stopping", "handing over", "routing", "let go"},
}

// draw chooses who dies, and when.
func (c *climb) draw(name, area string) *kill {
	victims := []string{"tool", "tool", "tool", up.Trunk, area, "gateway", "nats"}
	lines := boundaries[name]
	k := &kill{name: name, area: area, victim: victims[c.random.IntN(len(victims))], line: lines[c.random.IntN(len(lines))]}
	if c.random.IntN(2) == 0 {
		k.after = time.Duration(c.random.IntN(300)) * time.Millisecond
	}
	return k
}

// tool runs a command to its end, or until it is killed.
func (c *climb) tool(ctx context.Context, name, area string, plan *kill) error {
	path, err := self()
	if err != nil {
		return err
	}
	args := []string{"--dir", c.lab.State().Dir, name, area, "--yes"}
	if name == "extract" && c.MaxP99 > 0 {
		args = append(args, "--max-p99", c.MaxP99.String())
	}
	command := exec.CommandContext(ctx, path, args...)
	command.Stdout = c.Out
	said, err := command.StderrPipe()
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "%6.1fs  lab %s\n", time.Since(c.began).Seconds(), strings.Join(args[2:], " "))
	if err := command.Start(); err != nil {
		return err
	}
	var last string
	for lines := bufio.NewScanner(said); lines.Scan(); {
		last = lines.Text()
		fmt.Fprintf(c.Out, "         %s\n", last)
		if plan != nil && !plan.done && strings.Contains(last, plan.line) {
			plan.done = true
			time.AfterFunc(plan.after, func() { c.strike(plan.victim, command.Process) })
		}
	}
	if err := command.Wait(); err != nil {
		return fmt.Errorf("%w: %s", err, last)
	}
	return nil
}

// strike kills without asking anybody, as the kernel does that runs out of memory.
func (c *climb) strike(victim string, tool *os.Process) {
	if victim == "tool" {
		_ = tool.Kill()
		return
	}
	if process := c.lab.Process(victim); process != nil {
		if pid := process.PID(); pid > 0 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}
