package up

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
)

func routesFile(dir string) string { return filepath.Join(dir, "routes.json") }

// writeRoutes copies the gateway's routes and puts the processes' actual addresses in the place of the
// well-known ones.
func writeRoutes(from, to string, addresses map[string]address) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("read the gateway's routes: %w", err)
	}
	var routes any
	if err := json.Unmarshal(content, &routes); err != nil {
		return fmt.Errorf("read the gateway's routes in %s: %w", from, err)
	}
	moved := map[string]string{}
	for process, known := range ports {
		if actual, runs := addresses[process]; runs {
			moved[known.public()] = actual.public()
		}
	}
	content, err = json.MarshalIndent(move(routes, moved), "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(to, append(content, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the gateway's routes: %w", err)
	}
	return nil
}

// move replaces the host of every URL in a JSON value, wherever it stands, if it is one of those that moved.
func move(value any, moved map[string]string) any {
	switch value := value.(type) {
	case map[string]any:
		for key := range value {
			value[key] = move(value[key], moved)
		}
	case []any:
		for i := range value {
			value[i] = move(value[i], moved)
		}
	case string:
		location, err := url.Parse(value)
		if err != nil || moved[location.Host] == "" {
			return value
		}
		location.Host = moved[location.Host]
		return location.String()
	}
	return value
}
