package chaos

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"banyan/scripts/lab/chaos/fault"
	"banyan/scripts/lab/history"
)

// Disks are small disks of a lab's own, one under each server, which can be filled without harm to anybody else.
type Disks struct {
	mounted map[string]string // by server, the folder
}

// diskSizes leave room for what a short run writes. They lie in memory.
var diskSizes = map[string]string{fault.Postgres: "1g", fault.NATS: "128m"}

// MountDisks puts a disk under each server of a lab that is to be started in a folder. Where the machine does not allow
// that, the second result says why.
func MountDisks(dir string) (disks *Disks, why string, err error) {
	switch {
	case runtime.GOOS != "linux":
		return nil, "a disk in memory can be mounted on Linux only", nil
	case os.Getuid() != 0:
		return nil, "only root may mount a disk", nil
	}
	disks = &Disks{mounted: map[string]string{}}
	for server, size := range diskSizes {
		folder := filepath.Join(dir, server)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return nil, "", errors.Join(err, disks.Unmount())
		}
		out, err := exec.Command("mount", "-t", "tmpfs", "-o", "mode=755,size="+size, "banyan-"+server, folder).CombinedOutput()
		if err != nil {
			why := "mount says: " + strings.TrimSpace(string(out))
			return nil, why, disks.Unmount()
		}
		disks.mounted[server] = folder
	}
	return disks, "", nil
}

// Unmount takes the disks away, and with them what is on them. The lab has to have stopped.
func (d *Disks) Unmount() error {
	var errs []error
	for _, folder := range d.mounted {
		if out, err := exec.Command("umount", folder).CombinedOutput(); err != nil {
			errs = append(errs, fmt.Errorf("take the disk at %s away: %w: %s", folder, err, out))
		}
	}
	return errors.Join(errs...)
}

// schedule fills each disk that the side uses.
func (d *Disks) schedule(side string, seed uint64) []fault.Step {
	return fault.DiskSchedule(side, seed)
}

// Add takes over what came of the run that filled the disks. A nil report is none, for a reason.
func (r *Report) Add(disks *Report, why string) {
	if disks == nil {
		for _, kind := range fault.Kinds(r.Side) {
			if kind.OfDisk() {
				r.Skipped = append(r.Skipped, Skipped{string(kind), why})
			}
		}
		return
	}
	r.Disks = disks
	r.Faults = slices.Concat(r.Faults, disks.Faults)
	r.Missing = slices.Concat(r.Missing, disks.Missing)
	for _, v := range disks.Violations {
		r.Violations = append(r.Violations, history.Violation{Rule: v.Rule, Detail: "when the disk was full: " + v.Detail})
	}
	for _, v := range disks.Broken() {
		r.Violations = append(r.Violations, history.Violation{Rule: v.Rule, Detail: "when the disk was full: " + strings.Join(v.Offenders, "; ")})
	}
}
