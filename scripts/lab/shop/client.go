package shop

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// AnswerWithin is how long an answer may take if a caller does not say. The shop promises a checkout's within 3 s.
const AnswerWithin = 10 * time.Second

// Request is one request of the API.
type Request struct {
	Method string
	Path   string // with the query
	Token  string // of a session; empty: none
	Key    string // idempotency key; empty: none
	Body   any    // is sent as JSON; bytes as they are; nil: none
	// Header holds headers beyond those that follow from the above, by their canonical names. They win; an empty value takes
	// a header out.
	Header map[string]string
}

func (r Request) String() string { return r.Method + " " + r.Path }

// encode is the body as it is sent; nil if there is none.
func (r Request) encode() ([]byte, error) {
	switch body := r.Body.(type) {
	case nil:
		return nil, nil
	case []byte:
		return body, nil
	}
	encoded, err := json.Marshal(r.Body)
	if err != nil {
		return nil, fmt.Errorf("%s: encode its body: %w", r, err)
	}
	return encoded, nil
}

// Options say how a [Client] reaches the shop.
type Options struct {
	// Raw takes a write and a read per request, on the goroutine that asks, instead of net/http: for generators of load,
	// which net/http's two goroutines per connection cost twice the CPU.
	Raw bool
	// Connections are how many of net/http's are kept open while nobody needs them. Raw ones are all kept.
	Connections int
	// Within is how long an answer may take; 10 s if zero.
	Within time.Duration
}

// New makes a client of one side, by the addresses of its fronts. With several, requests go to them in turn.
func New(o Options, urls ...string) (*Client, error) {
	if o.Within == 0 {
		o.Within = AnswerWithin
	}
	schemes := []string{"http"}
	if !o.Raw {
		schemes = append(schemes, "https")
	}
	c := &Client{}
	for _, base := range urls {
		host, err := hostOf(base, schemes...)
		if err != nil {
			return nil, err
		}
		var w wire
		if o.Raw {
			w = &pool{host: host, within: o.Within}
		} else {
			w = newOrdinary(strings.TrimSuffix(base, "/"), o)
		}
		c.fronts = append(c.fronts, &front{wire: w})
	}
	return c, nil
}

// hostOf is the host and port of a shop's address.
func hostOf(base string, schemes ...string) (string, error) {
	location, err := url.Parse(base)
	if err != nil || !slices.Contains(schemes, location.Scheme) || location.Host == "" {
		return "", fmt.Errorf("%q is no address of a shop: it looks like http://127.0.0.1:8080", base)
	}
	return location.Host, nil
}

// wire is a way to one front.
type wire interface {
	// send makes one request. An error means that nobody knows what came of it, unless it is that of a dial.
	send(ctx context.Context, r Request) (Answer, error)
	close()
}

// ordinary is net/http.
type ordinary struct {
	base string
	http *http.Client
}

func newOrdinary(base string, o Options) *ordinary {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy, transport.DisableCompression = nil, true
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 0, max(o.Connections, 1)
	return &ordinary{base, &http.Client{
		Transport: transport, Timeout: o.Within,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (o *ordinary) close() { o.http.CloseIdleConnections() }

func (o *ordinary) send(ctx context.Context, r Request) (Answer, error) {
	body, err := r.encode()
	if err != nil {
		return Answer{}, err
	}
	var content io.Reader
	if body != nil {
		content = bytes.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, o.base+r.Path, content)
	if err != nil {
		return Answer{}, err
	}
	request.Header.Set("Accept", "application/json")
	if r.Token != "" {
		request.Header.Set("Authorization", "Bearer "+r.Token)
	}
	if r.Key != "" {
		request.Header.Set("Idempotency-Key", r.Key)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, value := range r.Header {
		if value == "" {
			request.Header.Del(name)
			continue
		}
		request.Header.Set(name, value)
	}
	if request.Header.Get("Idempotency-Key") != "" {
		// net/http repeats a request that carries a key when its connection dies. Each sending is the caller's to decide
		// on, and to count.
		request.GetBody = nil
	}
	response, err := o.http.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil {
		return Answer{}, fmt.Errorf("the answer of %s broke off: %w", r, err)
	}
	return Answer{Status: response.StatusCode, Header: response.Header, Body: said, closing: response.Close}, nil
}
