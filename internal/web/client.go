package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"banyan/internal/fault"
	"banyan/internal/telemetry"
)

// Client calls one other service with JSON. Problems come back as faults, so
// errors.Is against the caller's own sentinels holds as if the call were local.
// What could not be asked, or not be answered in time, is Unavailable: the
// outcome of such a call is unknown.
//
// Every call must be safe to repeat: it asks for something, or carries a key under
// which it has one effect. For a call that goes out on a connection that was idle, just
// as the other side closes it, is sent once more on another.
type Client struct {
	instances *instances
	timeout   time.Duration
	bearer    func() (string, error)
}

// ClientConfig describes the service to call.
type ClientConfig struct {
	Base    string                 // such as http://127.0.0.1:8103; several instances of it are separated by commas
	Timeout time.Duration          // of each call, within the context's own; 2 s if zero
	Bearer  func() (string, error) // the token to send; nil sends none
}

// NewClient makes a client with its own connections.
func NewClient(cfg ClientConfig) *Client {
	if cfg.Timeout == 0 {
		cfg.Timeout = 2 * time.Second
	}
	return &Client{instances: newInstances(cfg.Base, cfg.Timeout), timeout: cfg.Timeout, bearer: cfg.Bearer}
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

// Do sends in, unless it is nil, and decodes the answer into out, unless it is nil.
func (c *Client) Do(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	res, err := c.send(ctx, method, path, in)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, errAway.Because(err))
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %w", method, path, fromProblem(res, body))
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("%s %s: read the answer: %w", method, path, err)
	}
	return nil
}

// CloseIdle closes the connections to the instance at base that nobody uses now, and reports whether it calls such an instance.
func (c *Client) CloseIdle(base string) bool {
	known := false
	for _, i := range c.instances.all {
		if i.base == base {
			known = true
			i.http.CloseIdleConnections()
		}
	}
	return known
}

func (c *Client) send(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body []byte
	// net/http repeats what has such a header, and does not send an empty one.
	header := http.Header{"X-Idempotency-Key": {}}
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return nil, err
		}
		header.Set("Content-Type", "application/json")
	}
	if t := telemetry.Traceparent(ctx); t != "" {
		header.Set("Traceparent", t)
	}
	if c.bearer != nil {
		token, err := c.bearer()
		if err != nil {
			return nil, err
		}
		header.Set("Authorization", "Bearer "+token)
	}
	return c.instances.do(func(base string) (*http.Request, error) {
		var content io.Reader
		if in != nil {
			content = bytes.NewReader(body)
		}
		req, err := http.NewRequestWithContext(ctx, method, base+path, content)
		if err == nil {
			req.Header = header
		}
		return req, err
	})
}

// fromProblem turns an answer that is no success into the fault it reports.
func fromProblem(res *http.Response, body []byte) *fault.Error {
	kind := kindOf(res.StatusCode)
	if kind == fault.Malformed && res.StatusCode != http.StatusBadRequest {
		kind = fault.Internal // a status that nobody here means: it says neither yes nor no
	}
	f := fault.New(kind, "", http.StatusText(res.StatusCode))
	var problem struct {
		Type   string        `json:"type"`
		Detail string        `json:"detail"`
		Errors []fault.Field `json:"errors"`
	}
	if strings.HasPrefix(res.Header.Get("Content-Type"), ContentTypeProblem) && json.Unmarshal(body, &problem) == nil {
		f.Code = strings.TrimPrefix(problem.Type, ProblemPrefix)
		f.Detail = problem.Detail
		f.Fields = problem.Errors
		f.Members = members(body)
	}
	if s, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && s > 0 {
		f.RetryAfter = time.Duration(s) * time.Second
	}
	return f
}

// members are the problem's own additions, as raw JSON.
func members(body []byte) map[string]any {
	var all map[string]json.RawMessage
	if json.Unmarshal(body, &all) != nil {
		return nil
	}
	var m map[string]any
	for name, value := range all {
		switch name {
		case "type", "title", "status", "detail", "errors":
			continue
		}
		if m == nil {
			m = map[string]any{}
		}
		m[name] = value
	}
	return m
}
