package buy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"banyan/scripts/lab/shop"
)

// patience is how long the customer waits for what may follow a little later.
const patience = 15 * time.Second

// customer sends requests to one side and tells what happens.
type customer struct {
	base   string
	token  string
	client *shop.Client
	out    io.Writer
}

func newCustomer(base string, out io.Writer) (*customer, error) {
	client, err := shop.New(shop.Options{Connections: 1}, base)
	return &customer{base: strings.TrimSuffix(base, "/"), client: client, out: out}, err
}

func get(path string) shop.Request { return shop.Request{Method: http.MethodGet, Path: path} }

// send makes a request whose body is known to the byte, as it is printed.
func send(method, path string, body any) (shop.Request, error) {
	encoded, err := json.Marshal(body)
	return shop.Request{Method: method, Path: path, Body: encoded}, err
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
func (c *customer) ask(ctx context.Context, r shop.Request, into any) error {
	fmt.Fprintf(c.out, "$ %s\n", curl(r, c.base, c.token != ""))
	return c.send(ctx, r, into)
}

// tell prints what came of the request before.
func (c *customer) tell(format string, args ...any) {
	fmt.Fprintf(c.out, "  %s\n\n", fmt.Sprintf(format, args...))
}

// send sends a request and reads the answer into into.
func (c *customer) send(ctx context.Context, r shop.Request, into any) error {
	r.Token = c.token
	said, err := c.client.Send(ctx, r)
	if err != nil {
		return err
	}
	if said.Status >= 300 {
		return &Refusal{Request: r.String(), Status: said.Status, Detail: detail(said.Body)}
	}
	return said.Read(into)
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
func until[T any](ctx context.Context, c *customer, r shop.Request, enough func(T) bool) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var answer T
	if err := c.ask(ctx, r, &answer); err != nil {
		return answer, err
	}
	for !enough(answer) {
		if shop.Pause(ctx, 50*time.Millisecond) != nil {
			return answer, fmt.Errorf("%s %s%s did not answer what was expected within %s: look into the logs of the lab",
				r.Method, c.base, r.Path, patience)
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
