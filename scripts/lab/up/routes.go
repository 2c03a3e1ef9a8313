package up

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
)

// routesFile is where a gateway, "gateway" or "facade", finds its routes.
func routesFile(dir, gateway string) string {
	if gateway == facade {
		return filepath.Join(dir, "routes-facade.json")
	}
	return filepath.Join(dir, "routes.json")
}

// writeRoutes copies a gateway's routes and puts the actual addresses of all instances in the place of the well-known
// ones.
func (s *settings) writeRoutes(from, gateway string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("read the gateway's routes: %w", err)
	}
	var file struct {
		Routes []map[string]any `json:"routes"`
	}
	if err := json.Unmarshal(content, &file); err != nil {
		return fmt.Errorf("read the gateway's routes in %s: %w", from, err)
	}
	for _, route := range file.Routes {
		known, _ := route["upstreams"].([]any)
		var actual []any
		for _, upstream := range known {
			found, err := s.actual(gateway, upstream)
			if err != nil {
				return fmt.Errorf("move the gateway's routes in %s: %w", from, err)
			}
			actual = append(actual, found...)
		}
		route["upstreams"] = actual
	}
	if content, err = json.MarshalIndent(file, "", "  "); err != nil {
		return err
	}
	if err := os.WriteFile(routesFile(s.dir, gateway), append(content, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the gateway's routes: %w", err)
	}
	return nil
}

// actual are the addresses of the processes whose well-known address an upstream is. Any other upstream stays.
func (s *settings) actual(gateway string, upstream any) ([]any, error) {
	text, _ := upstream.(string)
	location, err := url.Parse(text)
	if err != nil {
		return []any{upstream}, nil // the gateway says what is wrong with it
	}
	for service, known := range ports {
		if known.Public == 0 || known.public() != location.Host {
			continue
		}
		var all []any
		for _, process := range upstreamsOf(service, gateway, s.addresses) {
			at, err := s.reachURL(gateway, process, s.addresses[process].url())
			if err != nil {
				return nil, err
			}
			all = append(all, at)
		}
		if len(all) > 0 {
			return all, nil
		}
	}
	return []any{upstream}, nil
}
