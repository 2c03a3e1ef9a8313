package overload

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// figures are the metrics of a process by name and labels, as they are written.
type figures map[string]float64

var ops = &http.Client{Timeout: 5 * time.Second}

func look(ctx context.Context, opsURL string) (figures, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, opsURL+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	res, err := ops.Do(req)
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	defer res.Body.Close()
	found := figures{}
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		line := lines.Text()
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || line[0] == '#' {
			continue
		}
		if value, err := strconv.ParseFloat(line[at+1:], 64); err == nil {
			found[line[:at]] = value
		}
	}
	return found, lines.Err()
}

// sum adds a metric up over its labels.
func (f figures) sum(name string) (total float64) {
	for key, value := range f {
		if key == name || strings.HasPrefix(key, name+"{") {
			total += value
		}
	}
	return total
}

// of is a metric's value where its labels hold this text.
func (f figures) of(name, label string) float64 {
	for key, value := range f {
		if strings.HasPrefix(key, name+"{") && strings.Contains(key, label) {
			return value
		}
	}
	return 0
}
