package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"banyan/internal/fault"
	"banyan/internal/postgres"
)

// ProblemPrefix precedes the code in a problem's type.
const ProblemPrefix = "urn:banyan:problem:"

// ContentTypeProblem is the media type of RFC 9457.
const ContentTypeProblem = "application/problem+json"

var (
	errTooLarge = fault.New(fault.TooLarge, "", "The request body is too large.")
	errTimeout  = fault.New(fault.Unavailable, "", "This took too long. Please try again.").After(time.Second)
	errAway     = fault.New(fault.Unavailable, "", "Something we need is away for a moment. Please try again.").After(time.Second)
)

// statuses maps each kind to its status and title; kindOf reads it backwards.
var statuses = map[fault.Kind]struct {
	status int
	title  string
}{
	fault.Internal:           {500, "Internal error"},
	fault.Malformed:          {400, "Malformed request"},
	fault.Unauthenticated:    {401, "Not signed in"},
	fault.Declined:           {402, "Payment declined"},
	fault.Forbidden:          {403, "Not allowed"},
	fault.NotFound:           {404, "Not found"},
	fault.MethodNotAllowed:   {405, "Method not allowed"},
	fault.Conflict:           {409, "Conflict"},
	fault.PreconditionFailed: {412, "Changed meanwhile"},
	fault.TooLarge:           {413, "Too large"},
	fault.UnsupportedMedia:   {415, "Unsupported content type"},
	fault.Invalid:            {422, "Not acceptable input"},
	fault.Throttled:          {429, "Too many requests"},
	fault.Unavailable:        {503, "Unavailable"},
}

// Status is the HTTP status of a kind.
func Status(k fault.Kind) int { return statuses[k].status }

// kindOf is the kind that a status stands for: an unlisted 4xx counts as
// Malformed, and a gateway's 502 and 504 as Unavailable, since asking again is right.
func kindOf(status int) fault.Kind {
	for k, s := range statuses {
		if s.status == status {
			return k
		}
	}
	switch {
	case status == http.StatusBadGateway || status == http.StatusGatewayTimeout:
		return fault.Unavailable
	case status >= 400 && status < 500:
		return fault.Malformed
	}
	return fault.Internal
}

// Fault finds the fault that a client is to see for err: its own, or the one
// that the router, the body limit, a deadline or the database stands for.
func Fault(err error) *fault.Error {
	var f *fault.Error
	var routed *echo.HTTPError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &tooLarge):
		return errTooLarge
	case errors.As(err, &routed):
		return fromRouter(routed)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return errTimeout.Because(err)
	case postgres.Unavailable(err), postgres.Retryable(err):
		return errAway.Because(err)
	}
	return fault.From(err)
}

func fromRouter(e *echo.HTTPError) *fault.Error {
	switch k := kindOf(e.Code); k {
	case fault.NotFound:
		return fault.New(k, "", "There is nothing at this address.")
	case fault.MethodNotAllowed:
		return fault.New(k, "", "This address does not know this method.")
	case fault.TooLarge:
		return errTooLarge
	default:
		return fault.New(k, "", http.StatusText(e.Code))
	}
}

// Problem is the body of RFC 9457 for a fault. The same fault always gives the
// same bytes.
func Problem(f *fault.Error) []byte {
	base, err := json.Marshal(struct {
		Type   string        `json:"type"`
		Title  string        `json:"title"`
		Status int           `json:"status"`
		Detail string        `json:"detail"`
		Errors []fault.Field `json:"errors,omitempty"`
	}{ProblemPrefix + f.Code, statuses[f.Kind].title, Status(f.Kind), f.Detail, f.Fields})
	if err != nil {
		panic(err) // strings and an int
	}
	if len(f.Members) == 0 {
		return base
	}
	b := bytes.NewBuffer(base[:len(base)-1])
	for _, name := range slices.Sorted(maps.Keys(f.Members)) {
		value, err := json.Marshal(f.Members[name])
		if err != nil {
			continue // a member that cannot be written must not hide the problem
		}
		b.WriteByte(',')
		b.WriteString(strconv.Quote(name))
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

// WriteProblem answers with the problem that err stands for.
func WriteProblem(w http.ResponseWriter, err error) {
	f := Fault(err)
	h := w.Header()
	if f.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
	}
	if f.Kind == fault.Unauthenticated {
		h.Set("WWW-Authenticate", "Bearer")
	}
	h.Set("Content-Type", ContentTypeProblem)
	w.WriteHeader(Status(f.Kind))
	_, _ = w.Write(Problem(f))
}
