package fault

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Kind says what went wrong, as far as a client has to know.
type Kind int

// The kinds. Package web maps each of them to an HTTP status and back.
const (
	Internal           Kind = iota // 500: our mistake; the text stays in the log
	Malformed                      // 400: cannot be read
	Unauthenticated                // 401: nobody is signed in
	Declined                       // 402: the payment was refused
	Forbidden                      // 403: signed in, but not allowed
	NotFound                       // 404: no such thing, or not yours
	MethodNotAllowed               // 405: the path exists, the method does not
	Conflict                       // 409: true now, may be otherwise later
	PreconditionFailed             // 412: If-Match named another version
	TooLarge                       // 413: the body exceeds the limit
	UnsupportedMedia               // 415: a content type nobody here reads
	Invalid                        // 422: read, but not acceptable
	Throttled                      // 429: too many requests
	Unavailable                    // 503: something needed is away; try again
)

var names = [...]string{
	Internal:           "internal",
	Malformed:          "malformed",
	Unauthenticated:    "unauthenticated",
	Declined:           "declined",
	Forbidden:          "forbidden",
	NotFound:           "not-found",
	MethodNotAllowed:   "method-not-allowed",
	Conflict:           "conflict",
	PreconditionFailed: "precondition-failed",
	TooLarge:           "too-large",
	UnsupportedMedia:   "unsupported-media-type",
	Invalid:            "invalid",
	Throttled:          "throttled",
	Unavailable:        "unavailable",
}

// String is the kind's name, which is also the code of a fault that has none of its own.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(names) {
		return names[Internal]
	}
	return names[k]
}

// Error is an error that a client may see. Treat it as a value: the With
// methods return copies, so a sentinel is never changed.
type Error struct {
	Kind       Kind
	Code       string         // names the rule, in kebab-case; what errors.Is compares
	Detail     string         // one sentence for the person who made the request
	Fields     []Field        // which parts of the input are to blame
	Members    map[string]any // further members of the problem document
	RetryAfter time.Duration  // when to come back; 0 says nothing
	cause      error
}

// Field is one part of the input and what is wrong with it.
type Field struct {
	Name   string `json:"name"`
	Detail string `json:"detail"`
}

// New makes a fault. An empty code is the kind's own name.
func New(kind Kind, code, detail string) *Error {
	if code == "" {
		code = kind.String()
	}
	return &Error{Kind: kind, Code: code, Detail: detail}
}

// Error is the text for logs: the code, the detail and the cause, if there is one.
func (e *Error) Error() string {
	text := e.Code
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	for _, f := range e.Fields {
		text += "; " + f.Name + " " + f.Detail
	}
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Is reports whether target is a fault of the same code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// Unwrap returns what Because was given.
func (e *Error) Unwrap() error { return e.cause }

// With returns a copy that carries one more member of the problem document.
func (e *Error) With(member string, value any) *Error {
	c := *e
	c.Members = maps.Clone(e.Members)
	if c.Members == nil {
		c.Members = map[string]any{}
	}
	c.Members[member] = value
	return &c
}

// WithFields returns a copy that blames these fields as well.
func (e *Error) WithFields(fields ...Field) *Error {
	c := *e
	c.Fields = append(append([]Field(nil), e.Fields...), fields...)
	return &c
}

// WithDetail returns a copy with another sentence.
func (e *Error) WithDetail(detail string) *Error {
	c := *e
	c.Detail = detail
	return &c
}

// After returns a copy that tells the client when to come back.
func (e *Error) After(d time.Duration) *Error {
	c := *e
	c.RetryAfter = d
	return &c
}

// Because returns a copy that wraps err, which is logged and never sent.
func (e *Error) Because(err error) *Error {
	c := *e
	c.cause = err
	return &c
}

// From returns the first fault in err's chain, or an Internal one that wraps err.
// It returns nil for a nil error.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return New(Internal, "", "Something went wrong on our side.").Because(err)
}

// KindOf returns the kind of the first fault in err's chain, Internal if there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Checks collects what is wrong with an input, so that one answer names it all.
type Checks []Field

// That notes the field and the detail unless ok holds.
func (c *Checks) That(ok bool, field, detail string) {
	if !ok {
		*c = append(*c, Field{Name: field, Detail: detail})
	}
}

// Text notes the field unless the text is one line of least to most characters, with
// no space around it.
func (c *Checks) Text(field, text string, least, most int) {
	c.That(within(text, least, most) && strings.IndexFunc(text, unreadable) < 0 && visible(text) && strings.TrimSpace(text) == text,
		field, fmt.Sprintf("must be %d to %d printable characters, without space around them", least, most))
}

// Prose is Text of several lines, which may have tabs in them and space around them.
func (c *Checks) Prose(field, text string, least, most int) {
	bad := func(r rune) bool { return unreadable(r) && !strings.ContainsRune("\t\n\r", r) }
	c.That(within(text, least, most) && strings.IndexFunc(text, bad) < 0 && visible(text),
		field, fmt.Sprintf("must be %d to %d printable characters, tabs and line breaks, and not only space", least, most))
}

func within(text string, least, most int) bool {
	n := utf8.RuneCountInString(text)
	return n >= least && n <= most
}

// unreadable characters control a terminal, a mail header or a log line, or hide or
// reorder what stands beside them: a bidirectional override can make one name look
// like another, a soft hyphen or a zero-width space makes two that look alike. Of the
// format characters only those are text that a spelling depends on: the joiners of
// Persian, Sinhala and emoji families, and signs such as the Arabic end of a verse.
func unreadable(r rune) bool {
	return r == utf8.RuneError || !unicode.IsGraphic(r) && !unicode.In(r, unicode.Join_Control, unicode.Prepended_Concatenation_Mark)
}

// visible says whether there is anything to see. Joiners and marks, such as the
// selectors of a variant, change what stands before them and show nothing alone.
func visible(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool {
		return !unicode.IsSpace(r) && !unicode.In(r, unicode.Join_Control, unicode.Mn)
	}) >= 0
}

// Err returns an Invalid fault that names every failed check, or nil if there is none.
func (c Checks) Err() error {
	if len(c) == 0 {
		return nil
	}
	return New(Invalid, "", "Some of the input is not acceptable.").WithFields(c...)
}
