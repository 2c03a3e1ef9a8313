package gate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// ErrAway is a gateway that can't be asked: it does not run, or does not answer in time.
var ErrAway = errors.New("the gateway can't be asked")

// timeout is how long one question may take. To let go takes the longest: 10 s at most, and then all have gone.
const timeout = 15 * time.Second

// Gate is a gateway, by its ops port.
type Gate struct {
	at   string
	http *http.Client
}

// At is the gateway whose ops port has this address, such as http://127.0.0.1:8190.
func At(opsURL string) *Gate {
	return &Gate{at: strings.TrimSuffix(opsURL, "/"), http: &http.Client{
		Timeout:   timeout,
		Transport: &http.Transport{MaxIdleConnsPerHost: 1, IdleConnTimeout: 10 * time.Second},
	}}
}

// Routes is the table that is in force, as it was given.
func (g *Gate) Routes(ctx context.Context) ([]byte, error) {
	return g.ask(ctx, http.MethodGet, "/routes", nil)
}

// Replace puts a table into force. A bad one changes nothing, and the error lists all that is wrong with it.
func (g *Gate) Replace(ctx context.Context, table []byte) error {
	_, err := g.ask(ctx, http.MethodPut, "/routes", table)
	return err
}

// CloseIdle closes the gateway's idle connections to an upstream, such as http://127.0.0.1:8108, so that it need not wait
// for them when it stops.
func (g *Gate) CloseIdle(ctx context.Context, upstream string) error {
	_, err := g.send(ctx, http.MethodPost, "/connections/close", map[string]string{"upstream": upstream})
	return err
}

// send asks with a value as JSON.
func (g *Gate) send(ctx context.Context, method, path string, in any) ([]byte, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	return g.ask(ctx, method, path, body)
}

// ask sends a body, which may be nil, and returns the answer's.
func (g *Gate) ask(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, g.at+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json") // without a body as well: the gateway wants it
	res, err := g.http.Do(req)
	if err != nil {
		return nil, g.away(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, g.away(err)
	}
	if res.StatusCode >= 300 {
		return nil, fmt.Errorf("%s %s%s: %s: %s", method, g.at, path, res.Status, said(answer))
	}
	return answer, nil
}

func (g *Gate) away(err error) error {
	return fmt.Errorf("%w at its ops port %s: %w", ErrAway, g.at, err)
}

// said is what a problem says, with each fault that it lists.
func said(body []byte) string {
	var problem struct {
		Detail string
		Errors []struct{ Name, Detail string }
	}
	if json.Unmarshal(body, &problem) != nil || problem.Detail == "" {
		return strings.TrimSpace(string(body))
	}
	sentence := problem.Detail
	for _, one := range problem.Errors {
		sentence += "\n  " + one.Name + ": " + one.Detail
	}
	return sentence
}
