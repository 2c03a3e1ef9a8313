package up

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Route is a line of a gateway's table: where a path leads, and which token goes along.
type Route struct {
	Prefix    string   `json:"prefix"`
	Upstreams []string `json:"upstreams"`
	Token     string   `json:"token"` // pass or exchange
	// Public are the methods that need no token, and so no exchange.
	Public []string `json:"public,omitempty"`
}

// prefixes are the paths of the public API, each of one area.
var prefixes = []struct{ path, area string }{
	{"/v1/accounts", "accounts"}, {"/v1/sessions", "accounts"}, {"/v1/books", "catalog"}, {"/v1/stock", "inventory"},
	{"/v1/cart", "orders"}, {"/v1/orders", "orders"}, {"/v1/payments", "payments"}, {"/v1/shipments", "shipping"},
	{"/v1/notifications", "notifications"},
}

// Table is what a gateway knows of the shop.
type Table struct {
	Exchange []string `json:"exchange,omitempty"` // where session tokens are exchanged, if a route wants that
	Routes   []Route  `json:"routes,omitempty"`
}

// Routes are the gateway's table, with the well-known addresses. Step 0 has none.
func (s Step) Routes() Table {
	if s.Number < stepGateway {
		return Table{}
	}
	table, _ := s.table(func(home string) ([]string, error) { return []string{portsOf(home).url()}, nil }) // never an error
	return table
}

func (s Step) table(urls func(home string) ([]string, error)) (Table, error) {
	var table Table
	for _, prefix := range prefixes {
		upstreams, err := urls(s.Home(prefix.area))
		if err != nil {
			return Table{}, err
		}
		route := Route{Prefix: prefix.path, Upstreams: upstreams, Token: "pass"}
		if s.exchanges(prefix.area) {
			route.Token = "exchange"
			if prefix.area == "catalog" {
				route.Public = []string{"GET", "HEAD"}
			}
			if table.Exchange, err = urls(s.Home("accounts")); err != nil {
				return Table{}, err
			}
		}
		table.Routes = append(table.Routes, route)
	}
	return table, nil
}

// Text is a table as the gateway reads it, a route a line.
func (t Table) Text() (string, error) {
	exchange := ""
	if len(t.Exchange) > 0 {
		addresses, err := json.Marshal(t.Exchange)
		if err != nil {
			return "", err
		}
		exchange = "  \"exchange\": " + string(addresses) + ",\n"
	}
	var lines []string
	for _, route := range t.Routes {
		line, err := json.Marshal(route)
		if err != nil {
			return "", err
		}
		lines = append(lines, "    "+string(line))
	}
	return "{\n" + exchange + "  \"routes\": [\n" + strings.Join(lines, ",\n") + "\n  ]\n}\n", nil
}

// routesFile is where a gateway, "gateway" or "facade", finds its routes.
func routesFile(dir, gateway string) string {
	if gateway == facade {
		return filepath.Join(dir, "routes-facade.json")
	}
	return filepath.Join(dir, "routes.json")
}

// writeRoutes writes a gateway's table, with the addresses of all instances as the gateway reaches them.
func (s *settings) writeRoutes(gateway string) error {
	step := s.step
	if gateway == facade {
		step = Ladder[stepGateway]
	}
	table, err := step.table(func(home string) ([]string, error) {
		if gateway == facade {
			return s.urlsOf(gateway, behindFacade)
		}
		return s.urlsOf(gateway, instancesOf(home, s.addresses)...)
	})
	if err != nil {
		return fmt.Errorf("make the gateway's routes: %w", err)
	}
	text, err := table.Text()
	if err != nil {
		return err
	}
	if err := os.WriteFile(routesFile(s.dir, gateway), []byte(text), 0o644); err != nil {
		return fmt.Errorf("write the gateway's routes: %w", err)
	}
	return nil
}

// urlsOf are the addresses by which a process reaches others.
func (s *settings) urlsOf(from string, processes ...string) ([]string, error) {
	var all []string
	for _, to := range processes {
		at, err := s.reachURL(from, to, s.addresses[to].url())
		if err != nil {
			return nil, err
		}
		all = append(all, at)
	}
	return all, nil
}
