package shop

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Answer is what the shop said, to the byte. The zero one is none.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte

	closing bool // the front does not want to be asked again by this connection
}

// Location is where what was made is to be found.
func (a Answer) Location() string { return a.Header.Get("Location") }

// ContentType is that of the body.
func (a Answer) ContentType() string { return a.Header.Get("Content-Type") }

// RetryAfter is what the shop says about when to come back; empty if it says nothing.
func (a Answer) RetryAfter() string { return a.Header.Get("Retry-After") }

// Problem says whether the answer is a problem of the contract's form.
func (a Answer) Problem() bool { return strings.HasPrefix(a.ContentType(), "application/problem+json") }

// Code is a problem's code, such as sold-out; empty if the answer is none.
func (a Answer) Code() string {
	var problem struct {
		Type string `json:"type"`
	}
	if !a.Problem() || json.Unmarshal(a.Body, &problem) != nil {
		return ""
	}
	return problem.Type[strings.LastIndex(problem.Type, ":")+1:]
}

// Later says that the shop asks for the same request a little later: it is away, or has too much to do.
func (a Answer) Later() bool { return a.Away() || a.Status == http.StatusTooManyRequests }

// Away says that the shop has not said what became of a request, since a part of it is not there.
func (a Answer) Away() bool {
	switch a.Status {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// Wait is how long the shop asks to wait before the same request comes again.
func (a Answer) Wait() time.Duration {
	seconds, err := strconv.Atoi(a.RetryAfter())
	if err != nil {
		return 100 * time.Millisecond
	}
	return time.Duration(seconds) * time.Second
}

// Same says whether another answer repeats this one byte for byte.
func (a Answer) Same(other Answer) bool {
	return a.Status == other.Status && a.Location() == other.Location() &&
		a.ContentType() == other.ContentType() && bytes.Equal(a.Body, other.Body)
}

// Read takes what a successful answer holds over into a pointer, unless that is nil. Any other answer is an error.
func (a Answer) Read(into any) error {
	if a.Status >= 300 {
		return a.Err()
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(a.Body, into); err != nil {
		return fmt.Errorf("read the answer %s: %w", a, err)
	}
	return nil
}

// String is the answer as it is shown.
func (a Answer) String() string {
	const most = 300
	text := a.Body
	if len(text) > most {
		text = fmt.Appendf(nil, "%s …", text[:most])
	}
	return fmt.Sprintf("%d %s: %s", a.Status, http.StatusText(a.Status), text)
}

// Err is the answer as an error, where another one was expected.
func (a Answer) Err() error { return errors.New("answered " + a.String()) }
