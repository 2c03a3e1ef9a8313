package gauge

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

var ops = &http.Client{Timeout: 5 * time.Second}

// Metrics are those of a process, by name and labels, as they are written.
type Metrics map[string]float64

// ReadMetrics asks a process by its ops port.
func ReadMetrics(ctx context.Context, opsURL string) (Metrics, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, opsURL+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	response, err := ops.Do(request)
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("read metrics: %s answers %s", request.URL, response.Status)
	}
	return ParseMetrics(response.Body)
}

// ParseMetrics reads Prometheus's text format as far as it is needed here.
func ParseMetrics(text io.Reader) (Metrics, error) {
	found := Metrics{}
	lines := bufio.NewScanner(text)
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

// Sum adds a metric up over its labels.
func (m Metrics) Sum(name string) (total float64) {
	for key, value := range m {
		if key == name || strings.HasPrefix(key, name+"{") {
			total += value
		}
	}
	return total
}

// SumWhere adds a metric up over those of its labels that hold this text.
func (m Metrics) SumWhere(name, label string) (total float64) {
	for key, value := range m {
		if strings.HasPrefix(key, name+"{") && strings.Contains(key, label) {
			total += value
		}
	}
	return total
}

// Of is a metric's value where its labels hold this text.
func (m Metrics) Of(name, label string) float64 {
	for key, value := range m {
		if strings.HasPrefix(key, name+"{") && strings.Contains(key, label) {
			return value
		}
	}
	return 0
}

// Buckets are how many observations of a histogram were at most so large, over all of its other labels.
func (m Metrics) Buckets(name string) map[float64]int64 {
	found := map[float64]int64{}
	for key, value := range m {
		labels, is := strings.CutPrefix(key, name+"_bucket{")
		if !is {
			continue
		}
		_, limit, _ := strings.Cut(labels, `le="`)
		limit, _, _ = strings.Cut(limit, `"`)
		if le, err := strconv.ParseFloat(limit, 64); err == nil {
			found[le] += int64(value)
		}
	}
	return found
}
