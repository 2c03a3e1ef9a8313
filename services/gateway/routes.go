package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
)

// What a route does with a session token.
const (
	tokenPass     = "pass"     // the upstream looks sessions up itself
	tokenExchange = "exchange" // the upstream gets a signed token instead
)

// route sends a prefix to one of its upstreams. It is as the file has it, but for
// what the gateway keeps about it while it runs.
type route struct {
	*record `json:"-"`

	Prefix    string   `json:"prefix"`           // of whole path segments
	Upstreams []string `json:"upstreams"`        // base addresses, taken in turn
	Token     string   `json:"token"`            // tokenPass or tokenExchange
	Public    []string `json:"public,omitempty"` // methods for which the upstream asks nobody who they are

	pool []*upstream
	turn atomic.Uint32
}

// record is what the gateway keeps of a prefix, whichever table is in force.
type record struct {
	budget    budget
	failovers atomic.Int64 // requests that moved on, since nothing could be sent to the first
	cuts      cuts
	lanes     lanes

	waiting, held, heldFailed atomic.Int64 // at the gate: now, in all, and in vain
}

// table is every route, the longest prefix first. It never changes; it is replaced.
type table struct {
	text      []byte // as it was given
	routes    []*route
	upstreams map[string]*upstream // by base address; routes share them
	records   map[string]*record   // by prefix, those of earlier tables as well
	exchange  *exchange            // nil if no address of one is given
}

// parseTable reads {"exchange": […], "routes": […]}. What it has in common with the table before, nil for none, goes on
// as it was: connections, breakers, budgets and counts. The error names the line or the prefixes to mend, all of them at once.
func parseTable(body []byte, before *table) (*table, error) {
	var file struct {
		Exchange []string `json:"exchange"`
		Routes   []*route `json:"routes"`
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return nil, fmt.Errorf("%s%w", line(body, err), err)
	}
	if d.More() {
		return nil, errors.New("there is something after the end of the routes")
	}
	if len(file.Routes) == 0 {
		return nil, errors.New("it lists no routes")
	}
	var problems []error
	seen := map[string]bool{}
	next := &table{text: body, upstreams: map[string]*upstream{}, records: map[string]*record{}}
	if before != nil {
		maps.Copy(next.records, before.records)
	}
	for i, r := range file.Routes {
		if r == nil {
			problems = append(problems, fmt.Errorf("route %d is null", i+1))
			continue
		}
		if seen[r.Prefix] {
			problems = append(problems, fmt.Errorf("prefix %q: is listed twice", r.Prefix))
		}
		seen[r.Prefix] = true
		if err := r.prepare(next, before); err != nil {
			problems = append(problems, fmt.Errorf("prefix %q: %w", r.Prefix, err))
		}
	}
	for _, base := range file.Exchange {
		if _, _, err := baseAddress(base); err != nil {
			problems = append(problems, fmt.Errorf("exchange: %w", err))
		}
	}
	next.routes = slices.DeleteFunc(file.Routes, func(r *route) bool { return r == nil })
	if len(file.Exchange) == 0 && next.exchanges() {
		problems = append(problems, errors.New(`exchange: is missing; it lists the addresses where the routes' session tokens are exchanged, like "exchange": ["http://host:port"]`))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	slices.SortStableFunc(next.routes, func(a, b *route) int { return cmp.Compare(len(b.Prefix), len(a.Prefix)) })
	next.exchange = exchangeAt(file.Exchange, before)
	return next, nil
}

// line says where in the file a JSON error is, if the error knows.
func line(body []byte, err error) string {
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	var offset int64
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &wrong):
		offset = wrong.Offset
	default:
		return ""
	}
	return fmt.Sprintf("line %d: ", 1+bytes.Count(body[:min(offset, int64(len(body)))], []byte("\n")))
}

var (
	prefixForm = regexp.MustCompile(`^(/[a-z0-9_-]+)+$`)
	methodForm = regexp.MustCompile(`^[A-Z]+$`)

	// private is what services answer to each other and to operators only.
	private = []string{"internal", "metrics", "debug", "livez", "readyz"}
)

// prepare checks the route and makes what it needs to run. Upstreams that no other route
// has named yet are added to the table; they are those of the table before, where it has them.
func (r *route) prepare(next, before *table) error {
	if !prefixForm.MatchString(r.Prefix) {
		return errors.New("a prefix is like /v1/things: lower-case segments, with no slash at the end")
	}
	if first, _, _ := strings.Cut(r.Prefix[1:], "/"); slices.Contains(private, first) {
		return fmt.Errorf("/%s is not for clients and is never routed", first)
	}
	if r.Token != tokenPass && r.Token != tokenExchange {
		return fmt.Errorf("token is %q; it must be %q or %q", r.Token, tokenPass, tokenExchange)
	}
	for _, m := range r.Public {
		if !methodForm.MatchString(m) {
			return fmt.Errorf("public method %q must be upper-case letters", m)
		}
	}
	if len(r.Upstreams) == 0 {
		return errors.New("it has no upstreams")
	}
	for _, base := range r.Upstreams {
		scheme, host, err := baseAddress(base)
		if err != nil {
			return fmt.Errorf("upstream: %w", err)
		}
		u := next.upstreams[base]
		if u == nil && before != nil {
			u = before.upstreams[base]
		}
		if u == nil {
			u = newUpstream(scheme, host)
		}
		next.upstreams[base] = u
		r.pool = append(r.pool, u)
	}
	if next.records[r.Prefix] == nil {
		next.records[r.Prefix] = &record{}
	}
	r.record = next.records[r.Prefix]
	return nil
}

// baseAddress takes a base address of a process apart.
func baseAddress(base string) (scheme, host string, err error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil ||
		u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", "", fmt.Errorf("%q must be like http://host:port, with nothing after it", base)
	}
	return u.Scheme, u.Host, nil
}

// public reports whether the route's upstream ignores who sent this request. HEAD is as public as GET.
func (r *route) public(req *http.Request) bool {
	return slices.Contains(r.Public, req.Method) || req.Method == http.MethodHead && slices.Contains(r.Public, http.MethodGet)
}

// match returns the route with the longest prefix that ends where a segment of the
// path does, or nil.
func (t *table) match(path string) *route {
	for _, r := range t.routes {
		if within(path, r.Prefix) {
			return r
		}
	}
	return nil
}

// prefixes are those of the routes.
func (t *table) prefixes() []string {
	var all []string
	for _, r := range t.routes {
		all = append(all, r.Prefix)
	}
	return all
}

// close closes the connections that are idle.
func (t *table) close() { t.closeBut(nil) }

// closeBut closes the connections that are idle, but to those that the other table names as well. A connection that is in
// use is closed when its request is over: a transport that nobody asks any more keeps none.
func (t *table) closeBut(other *table) {
	for base, u := range t.upstreams {
		if other == nil || other.upstreams[base] != u {
			u.transport.CloseIdleConnections()
		}
	}
	if t.exchange != nil && (other == nil || other.exchange != t.exchange) {
		t.exchange.close()
	}
}

// closeIdle closes the connections to one process that are idle, and reports whether the table names it.
func (t *table) closeIdle(base string) bool {
	known := t.exchange.closeIdle(base)
	if u := t.upstreams[base]; u != nil {
		u.transport.CloseIdleConnections()
		known = true
	}
	return known
}

// exchanges reports whether any route needs accounts to say who is asking.
func (t *table) exchanges() bool {
	return slices.ContainsFunc(t.routes, func(r *route) bool { return r.Token == tokenExchange })
}
