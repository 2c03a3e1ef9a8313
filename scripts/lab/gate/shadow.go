package gate

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// Shadow says what a gateway is to compare: it sends a share of one route's GETs to a second upstream as well, once the
// customer has been answered.
type Shadow struct {
	Prefix   string    `json:"prefix"`   // of the table
	Upstream string    `json:"upstream"` // the second one
	Token    string    `json:"token"`    // what it gets of a session token: pass or exchange
	Share    float64   `json:"share"`    // more than 0, up to 1
	Ignore   []Ignored `json:"ignore,omitempty"`
	Except   []Except  `json:"except,omitempty"`
}

// Ignored is a place in JSON bodies that may differ, such as items.*.available, and why.
type Ignored struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// Except is a part of the route that is not compared, such as /v1/books/bestsellers, and why.
type Except struct {
	Prefix string `json:"prefix"`
	Reason string `json:"reason"`
}

// Shadowed is what came of a comparison. Without one, its Prefix is empty.
type Shadowed struct {
	Shadow
	Sent        int          `json:"sent"`
	Equal       int          `json:"equal"`
	Different   int          `json:"different"` // and still so a second later
	Dropped     int          `json:"dropped"`   // more than could be compared
	Failed      int          `json:"failed"`    // one of the two could not be asked
	Differences []Difference `json:"differences"`
}

// Difference is one of those that are kept, 20 at most.
type Difference struct {
	Method    string   `json:"method"`
	Path      string   `json:"path"`
	RequestID string   `json:"request_id"` // of the customer's request
	What      []string `json:"what"`
	First     string   `json:"first"` // bodies, cut at 1 KB
	Second    string   `json:"second"`
}

// Shadow compares from now on, instead of what was compared before.
func (g *Gate) Shadow(ctx context.Context, s Shadow) error {
	_, err := g.send(ctx, http.MethodPut, "/shadow", s)
	return err
}

// Shadowed is how the comparison stands.
func (g *Gate) Shadowed(ctx context.Context) (Shadowed, error) {
	return compared(g.ask(ctx, http.MethodGet, "/shadow", nil))
}

// Unshadow ends the comparison, and returns when no copy is under way any more. Without one it does nothing.
func (g *Gate) Unshadow(ctx context.Context) (Shadowed, error) {
	return compared(g.ask(ctx, http.MethodDelete, "/shadow", nil))
}

func compared(answer []byte, err error) (Shadowed, error) {
	var s Shadowed
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(answer, &s); err != nil {
		return s, fmt.Errorf("read what the gateway says of its comparison: %w", err)
	}
	return s, nil
}
