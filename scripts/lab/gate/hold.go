package gate

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Held is a hold, or the last one.
type Held struct {
	Until  time.Time   `json:"until"` // then it lets go by itself; zero: no hold stands
	Routes []HeldRoute `json:"routes"`
}

// HeldRoute is what came of one route of a hold.
type HeldRoute struct {
	Route       string // as it was named
	UnderWay    int    // requests that passed the gate and have not been answered in full
	Waiting     int
	Held        int // requests that had to wait, in all
	Failed      int // their client left, there was no room to wait, or they were answered 502, 503 or 504
	LongestWait time.Duration
}

// UnmarshalJSON reads what a gateway says.
func (r *HeldRoute) UnmarshalJSON(body []byte) error {
	var said struct {
		Route       string
		UnderWay    int `json:"under_way"`
		Waiting     int
		Held        int
		Failed      int
		LongestWait float64 `json:"longest_wait_ms"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return err
	}
	*r = HeldRoute{said.Route, said.UnderWay, said.Waiting, said.Held, said.Failed, time.Duration(said.LongestWait * float64(time.Millisecond))}
	return nil
}

// UnderWay is the sum of all routes.
func (h Held) UnderWay() (n int) {
	for _, r := range h.Routes {
		n += r.UnderWay
	}
	return n
}

// Waiting is the sum of all routes.
func (h Held) Waiting() (n int) {
	for _, r := range h.Routes {
		n += r.Waiting
	}
	return n
}

// Hold makes requests of these routes wait, each a prefix of the table or a method and a prefix, such as "POST /v1/orders".
// It lets go by itself after atMost, which may be 10 s. If a hold stands, the routes are added, and the time counts anew.
// When it returns, each request waits or is among those under way.
func (g *Gate) Hold(ctx context.Context, routes []string, atMost time.Duration) (Held, error) {
	return held(g.send(ctx, http.MethodPost, "/hold", map[string]any{"routes": routes, "for": atMost.String()}))
}

// Held is how the hold stands, or how the last one ended.
func (g *Gate) Held(ctx context.Context) (Held, error) {
	return held(g.ask(ctx, http.MethodGet, "/hold", nil))
}

// LetGo ends the hold, and returns when nobody waits any more. Without a hold it does nothing.
func (g *Gate) LetGo(ctx context.Context) (Held, error) {
	return held(g.ask(ctx, http.MethodDelete, "/hold", nil))
}

func held(answer []byte, err error) (Held, error) {
	var h Held
	if err != nil {
		return h, err
	}
	if err := json.Unmarshal(answer, &h); err != nil {
		return h, fmt.Errorf("read what the gateway says of its hold: %w", err)
	}
	return h, nil
}
