package chaos

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
)

// Shop is one side of a lab, as the world sees it.
type Shop struct {
	Side       string `json:"side"` // also its name at the card processor
	URL        string `json:"url"`
	OutsideURL string `json:"-"` // the card processor and the mail server
}

// requestTime is how long a client waits for one answer. The shop promises a checkout's within 3 s.
const requestTime = 10 * time.Second

// newHTTP makes the connections for so many customers at once.
func newHTTP(customers int) *http.Client {
	wire := http.DefaultTransport.(*http.Transport).Clone()
	wire.Proxy = nil
	wire.MaxIdleConns, wire.MaxIdleConnsPerHost = 0, customers
	return &http.Client{Transport: wire, Timeout: requestTime}
}

// person is a client of the shop, signed in or not.
type person struct {
	http  *http.Client
	base  string
	email string
	token string
}

// answer is what the shop said, to the byte.
type answer struct {
	status      int
	location    string
	contentType string
	retryAfter  string
	body        []byte
}

// send makes one request. An error means that nobody knows what came of it.
func (p *person) send(ctx context.Context, method, path, key string, body any) (answer, error) {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, p.base+path, content)
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if p.token != "" {
		request.Header.Set("Authorization", "Bearer "+p.token)
	}
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
		// Go's own client repeats a request that carries a key when its connection dies. Each sending is to
		// be counted here.
		request.GetBody = nil
	}
	response, err := p.http.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, fmt.Errorf("the answer of %s %s broke off: %w", method, path, err)
	}
	return answer{
		response.StatusCode, response.Header.Get("Location"), response.Header.Get("Content-Type"),
		response.Header.Get("Retry-After"), said,
	}, nil
}

// ask makes a request that has to succeed and reads its answer. What is away for a moment is asked again.
func (p *person) ask(ctx context.Context, method, path string, body, into any) error {
	said, err := p.patiently(ctx, func() (answer, error) { return p.send(ctx, method, path, "", body) })
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return said.read(method+" "+path, into)
}

// patiently repeats what is safe to repeat while the shop is away or has too much to do.
func (p *person) patiently(ctx context.Context, try func() (answer, error)) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		said, err := try()
		if err == nil && !said.later() {
			return said, nil
		}
		if waited := pause(ctx, said.wait()); waited != nil {
			if err == nil {
				err = said.unexpected()
			}
			return said, fmt.Errorf("not within %s: %w", patience, err)
		}
	}
}

// later says that the shop asks for the same request a little later.
func (a answer) later() bool {
	switch a.status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// wait is how long the shop asks to wait before the same request comes again.
func (a answer) wait() time.Duration {
	seconds, err := strconv.Atoi(a.retryAfter)
	if err != nil {
		return 100 * time.Millisecond
	}
	return time.Duration(seconds) * time.Second
}

// code is a problem's code, such as sold-out; empty if the answer is none.
func (a answer) code() string {
	var problem struct {
		Type string `json:"type"`
	}
	if a.contentType != "application/problem+json" || json.Unmarshal(a.body, &problem) != nil {
		return ""
	}
	return problem.Type[strings.LastIndex(problem.Type, ":")+1:]
}

// same says whether another answer repeats this one byte for byte.
func (a answer) same(other answer) bool {
	return a.status == other.status && a.location == other.location &&
		a.contentType == other.contentType && bytes.Equal(a.body, other.body)
}

func (a answer) read(what string, into any) error {
	if a.status >= 300 {
		return fmt.Errorf("%s: %w", what, a.unexpected())
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		return fmt.Errorf("read the answer of %s: %w", what, err)
	}
	return nil
}

func (a answer) unexpected() error {
	const most = 300
	text := string(a.body)
	if len(text) > most {
		text = text[:most] + " …"
	}
	return fmt.Errorf("answered %d %s: %s", a.status, http.StatusText(a.status), text)
}

// pause waits, and returns an error if ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
