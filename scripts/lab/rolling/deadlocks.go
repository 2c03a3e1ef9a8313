package rolling

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// deadlocks are the lines of PostgreSQL's log that tell of deadlocks. Two instances of a
// service must lock rows in one order: PostgreSQL ends one of two transactions that
// don't, so nothing is wrong in the end, and only the log shows it. A server that is not
// the lab's own, by DATABASE_URL, keeps its log for itself.
func deadlocks(path string) (lines []string, err error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read PostgreSQL's log: %w", err)
	}
	defer file.Close()
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	told := false // the lines that follow say which statements it was
	for scanner.Scan() {
		line := scanner.Text()
		switch {
		case strings.Contains(line, "deadlock detected"):
			told = true
		case strings.Contains(line, "LOG:"), strings.Contains(line, "ERROR:"), strings.Contains(line, "FATAL:"):
			told = false
		}
		if told {
			lines = append(lines, line)
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("read PostgreSQL's log: %w", err)
	}
	return lines, nil
}
