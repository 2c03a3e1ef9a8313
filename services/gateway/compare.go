package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"banyan/internal/telemetry"
)

// said is an answer, as far as it is compared.
type said struct {
	status int
	header http.Header
	body   []byte
}

// copied keeps a customer's answer while it is written.
type copied struct {
	http.ResponseWriter
	said
	tooLarge bool
}

func (c *copied) WriteHeader(status int) {
	if c.status == 0 && status >= 200 {
		c.status = status
	}
	c.ResponseWriter.WriteHeader(status)
}

func (c *copied) Write(p []byte) (int, error) {
	if c.status == 0 {
		c.status = http.StatusOK
	}
	if c.tooLarge = c.tooLarge || len(c.body)+len(p) > shadowBody; !c.tooLarge {
		c.body = append(c.body, p...)
	}
	return c.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController flush.
func (c *copied) Unwrap() http.ResponseWriter { return c.ResponseWriter }

var errLongAnswer = errors.New("the answer is too long to be compared")

// ask sends the copy of a request to one upstream, with the credentials that a route would give it.
func (s *shadow) ask(one *shadowed, as *route, at *exchange, to *upstream) (*said, error) {
	if to == nil {
		return nil, errAway
	}
	ctx, cancel := context.WithTimeout(s.ctx, shadowTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, to.scheme+"://"+to.host+one.uri, nil)
	if err != nil {
		return nil, err
	}
	maps.Copy(req.Header, one.header)
	req.Header["X-Request-Id"] = []string{one.requestID}
	req.Header["X-Forwarded-For"] = []string{one.remote}
	req.Header["Traceparent"] = []string{telemetry.Traceparent(one.trace)}
	own := &http.Request{Method: http.MethodGet, Header: http.Header{"Authorization": one.authorization}}
	authorization, err := s.gateway.identities.credentials(own.WithContext(ctx), as, at)
	if err != nil {
		return nil, err
	}
	if authorization != nil {
		req.Header["Authorization"] = authorization
	}
	res, err := to.send(req, nil)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, shadowBody+1))
	switch {
	case err != nil:
		return nil, err
	case len(body) > shadowBody:
		return nil, errLongAnswer
	}
	return &said{res.StatusCode, res.Header, body}, nil
}

// comparedHeaders are those that say something of the shop. The others are of the connection, of the process, or of the clock.
var comparedHeaders = []string{"Content-Type", "Etag", "Cache-Control", "Location", "Allow", "Www-Authenticate", "Retry-After"}

// maxDiffering is how many places of one difference are named.
const maxDiffering = 10

// differ says what differs between two answers; nothing if they mean the same. JSON bodies are compared as values: neither
// white space nor the order of members means anything.
func differ(first, second *said, ignore []ignored) (what []string) {
	if first.status != second.status {
		what = append(what, fmt.Sprintf("status: %d and %d", first.status, second.status))
	}
	for _, name := range comparedHeaders {
		if a, b := first.header[name], second.header[name]; !slices.Equal(a, b) {
			what = append(what, fmt.Sprintf("header %s: %q and %q", name, a, b))
		}
	}
	a, aErr := decodeAny(first.body)
	b, bErr := decodeAny(second.body)
	switch {
	case aErr == nil && bErr == nil:
		for _, one := range ignore {
			path := strings.Split(one.Path, ".")
			forget(a, path)
			forget(b, path)
		}
		what = differing(what, "body", a, b)
	case !bytes.Equal(first.body, second.body):
		what = append(what, "body: not the same, and not both are JSON")
	}
	return what[:min(len(what), maxDiffering)]
}

func decodeAny(body []byte) (value any, err error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("there is something after the value")
	}
	return value, nil
}

// forget takes what a path names out of a value.
func forget(value any, path []string) {
	switch v := value.(type) {
	case map[string]any:
		for name := range v {
			switch {
			case path[0] != "*" && path[0] != name:
			case len(path) == 1:
				delete(v, name)
			default:
				forget(v[name], path[1:])
			}
		}
	case []any:
		for i := range v {
			switch {
			case path[0] != "*" && path[0] != strconv.Itoa(i):
			case len(path) == 1:
				v[i] = nil // the length is still compared
			default:
				forget(v[i], path[1:])
			}
		}
	}
}

// differing adds the places where two values differ.
func differing(what []string, at string, a, b any) []string {
	switch first := a.(type) {
	case map[string]any:
		if second, ok := b.(map[string]any); ok {
			return differingMembers(what, at, first, second)
		}
	case []any:
		second, ok := b.([]any)
		switch {
		case ok && len(first) != len(second):
			return append(what, fmt.Sprintf("%s: %d and %d elements", at, len(first), len(second)))
		case ok:
			for i := range first {
				what = differing(what, at+"."+strconv.Itoa(i), first[i], second[i])
			}
			return what
		}
	case json.Number:
		if second, ok := b.(json.Number); ok && sameNumber(first, second) {
			return what
		}
	default:
		if a == b { // neither is a list or an object that would not compare
			return what
		}
	}
	return append(what, fmt.Sprintf("%s: %s and %s", at, brief(a), brief(b)))
}

func differingMembers(what []string, at string, first, second map[string]any) []string {
	for _, name := range slices.Sorted(maps.Keys(first)) {
		other, ok := second[name]
		if !ok {
			what = append(what, fmt.Sprintf("%s.%s: only the first has it", at, name))
			continue
		}
		what = differing(what, at+"."+name, first[name], other)
	}
	for _, name := range slices.Sorted(maps.Keys(second)) {
		if _, ok := first[name]; !ok {
			what = append(what, fmt.Sprintf("%s.%s: only the second has it", at, name))
		}
	}
	return what
}

// sameNumber compares values, as far as a float64 tells them apart: 1.0 is 1.
func sameNumber(a, b json.Number) bool {
	if a == b {
		return true
	}
	x, errA := a.Float64()
	y, errB := b.Float64()
	return errA == nil && errB == nil && x == y && math.Abs(x) < 1<<53
}

// brief is a value in a few words.
func brief(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return "?"
	}
	if len(text) > 80 {
		return string(text[:80]) + "…"
	}
	return string(text)
}
