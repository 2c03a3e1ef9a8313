package up

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"banyan/internal/postgres"
	"banyan/scripts/lab/seed"
)

// Login is an account of the seeded data.
type Login struct{ Email, Password string }

// Customer and Staff are accounts that every lab has, on both sides.
var (
	Customer = Login{seed.ReaderEmail(1), seed.ReaderPassword}
	Staff    = Login{seed.StaffEmail, seed.StaffPassword}
)

// seed fills the databases that are empty, and refuses to go on with another size than what is there.
func (l *Lab) seed(ctx context.Context, databases map[string]string) error {
	conn, err := postgres.Connect(ctx, l.admin)
	if err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))

	size, missing := seed.Size(l.options.SeedSize), []string(nil)
	for _, side := range slices.Sorted(maps.Keys(databases)) {
		m, err := readMark(ctx, conn, side)
		there := m.size
		switch {
		case err != nil:
			return err
		case there == "":
			missing = append(missing, side)
		case size == "":
			size = there
		case size != there:
			return fmt.Errorf("the data here (%s) are of seed size %s, not %s: go on with --seed-size %[2]s, "+
				"start anew with --fresh, which removes them, or keep both with another --dir", side, there, size)
		}
	}
	if size == "" {
		size = seed.Small
	}
	l.mu.Lock()
	l.state.SeedSize = string(size)
	l.mu.Unlock()
	if len(missing) == 0 {
		return nil
	}

	defer debug.FreeOSMemory() // the data set: what comes now takes little
	what := fmt.Sprintf("seeding the %s with the %s data set", strings.Join(missing, " and the "), size)
	return l.progress.during(what, func() error {
		for _, side := range missing {
			if err := writeMark(ctx, conn, side, unfinishedMark); err != nil {
				return err
			}
		}
		data := seed.Generate(size)
		if err := l.copySides(ctx, missing, data); err != nil {
			return err
		}
		for _, side := range missing {
			write := func(to io.Writer) error { return seed.WriteLedger(to, data, side) }
			if err := replaceLedger(l.settings.ledgerFile(), side, write); err != nil {
				return err
			}
			if err := writeMark(ctx, conn, side, l.markOf(side, size).String()); err != nil {
				return err
			}
		}
		return nil
	})
}

// markOf is what is noted of a side that has just been seeded.
func (l *Lab) markOf(side string, size seed.Size) seedMark {
	if side == Monolith || l.step.Number == LastStep {
		return seedMark{size: size, low: LastStep}
	}
	return seedMark{size: size, low: min(l.step.Number, stepGateway)}
}

// seeded are the schemas of a side that are filled. Those of a step in between are filled by climbing.
func (l *Lab) seeded(side string) []string {
	if side == Monolith || l.step.Number < LastStep {
		return []string{Monolith}
	}
	return services
}

// copySides copies the data into the schemas of the sides, as their owners.
func (l *Lab) copySides(ctx context.Context, sides []string, data *seed.Data) error {
	copying, ctx := errgroup.WithContext(ctx)
	for _, side := range sides {
		for _, schema := range l.seeded(side) {
			copying.Go(func() error {
				owner := schema + "_owner"
				location, err := withUser(l.settings.databases[side], owner, l.settings.secrets.Roles[owner], side, "lab")
				if err != nil {
					return err
				}
				conn, err := postgres.Connect(ctx, location)
				if err != nil {
					return fmt.Errorf("seed %s: %w", schema, err)
				}
				defer conn.Close(context.WithoutCancel(ctx))
				return seed.Copy(ctx, conn, schema, data)
			})
		}
	}
	return copying.Wait()
}

// replaceLedger makes what is written the whole of what the card processor knows of a merchant, whose database
// is new. The processor does not run yet.
func replaceLedger(path, merchant string, write func(io.Writer) error) error {
	making := path + ".making"
	file, err := os.OpenFile(making, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write the card processor's ledger: %w", err)
	}
	to := bufio.NewWriter(file)
	err = errors.Join(keepOthers(to, path, merchant), write(to), to.Flush(), file.Close())
	if err != nil {
		return fmt.Errorf("write the card processor's ledger: %w", err)
	}
	return os.Rename(making, path)
}

// keepOthers copies the lines of a ledger that are not a merchant's.
func keepOthers(to io.Writer, path, merchant string) error {
	present, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer present.Close()
	lines := bufio.NewScanner(present)
	for lines.Scan() {
		var entry struct {
			Merchant string `json:"merchant"`
		}
		if json.Unmarshal(lines.Bytes(), &entry) != nil || entry.Merchant == merchant {
			continue
		}
		if _, err := fmt.Fprintf(to, "%s\n", lines.Bytes()); err != nil {
			return err
		}
	}
	return lines.Err()
}
