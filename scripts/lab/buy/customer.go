package buy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// patience is how long the customer waits for what may follow a little later.
const patience = 15 * time.Second

// customer sends requests to one side and tells what happens.
type customer struct {
	base  string
	token string
	http  *http.Client
	out   io.Writer
}

func newCustomer(base string, out io.Writer) *customer {
	return &customer{
		base: strings.TrimSuffix(base, "/"),
		out:  out,
		http: &http.Client{Timeout: 10 * time.Second},
	}
}

// request is one request; the path holds the query as well.
type request struct {
	method, path string
	body         json.RawMessage // nil: none
	key          string          // idempotency key; empty: none
}

func get(path string) request { return request{method: http.MethodGet, path: path} }

func send(method, path string, body any) (request, error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return request{}, err
	}
	return request{method: method, path: path, body: encoded}, nil
}

// Refusal is an answer that is not a success.
type Refusal struct {
	Request string // method and path
	Status  int
	Detail  string // what the answer says
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("%s was answered with %d %s: %s", r.Request, r.Status, http.StatusText(r.Status), r.Detail)
}

func refusedWith(err error, status int) bool {
	var refusal *Refusal
	return errors.As(err, &refusal) && refusal.Status == status
}

// ask prints a request, sends it, and reads the answer.
func (c *customer) ask(ctx context.Context, r request, into any) error {
	fmt.Fprintf(c.out, "$ %s\n", r.curl(c.base, c.token != ""))
	return c.send(ctx, r, into)
}

// tell prints what came of the request before.
func (c *customer) tell(format string, args ...any) {
	fmt.Fprintf(c.out, "  %s\n\n", fmt.Sprintf(format, args...))
}

// send sends a request and reads the answer into into.
func (c *customer) send(ctx context.Context, r request, into any) error {
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	request, err := http.NewRequestWithContext(ctx, r.method, c.base+r.path, body)
	if err != nil {
		return err
	}
	if r.body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	if r.key != "" {
		request.Header.Set("Idempotency-Key", r.key)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, 4<<20))
	if err != nil {
		return fmt.Errorf("read the answer of %s %s: %w", r.method, r.path, err)
	}
	if response.StatusCode >= 300 {
		return &Refusal{Request: r.method + " " + r.path, Status: response.StatusCode, Detail: detail(content)}
	}
	if err := json.Unmarshal(content, into); err != nil {
		return fmt.Errorf("read the answer of %s %s: %w", r.method, r.path, err)
	}
	return nil
}

// detail is what a problem says, or the body as it is.
func detail(content []byte) string {
	var problem struct {
		Detail string `json:"detail"`
	}
	if json.Unmarshal(content, &problem) == nil && problem.Detail != "" {
		return problem.Detail
	}
	return strings.TrimSpace(string(content))
}

// until prints a request once and repeats it until the answer is enough, since what it asks for may follow a
// little later.
func until[T any](ctx context.Context, c *customer, r request, enough func(T) bool) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var answer T
	if err := c.ask(ctx, r, &answer); err != nil {
		return answer, err
	}
	for !enough(answer) {
		select {
		case <-ctx.Done():
			return answer, fmt.Errorf("%s %s%s did not answer what was expected within %s: look into the logs of the lab",
				r.method, c.base, r.path, patience)
		case <-time.After(50 * time.Millisecond):
		}
		var next T // a fresh one: absent fields would keep their old values
		if err := c.send(ctx, r, &next); err != nil {
			return answer, err
		}
		answer = next
	}
	return answer, nil
}

func query(path, name, value string) string { return path + "?" + url.Values{name: {value}}.Encode() }
