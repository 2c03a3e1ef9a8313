package differ

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// Who asks. A name of the form s12 is whoever signed in by that step.
const (
	nobody = ""
	alice  = "alice"
	bob    = "bob"
	staff  = "staff"
	liar   = "liar" // with a token that nobody gave out
)

// Step is a request, in words that suit both sides.
type Step struct {
	ID     int // by which later steps refer to its answer
	As     string
	Method string
	Path   string // with its query
	Header map[string]string
	Body   string
	// Shared steps look at what other sequences change as well. They are asked while nobody writes, and only if
	// both sides began with equal data.
	Shared bool
	// Before are paths that are asked first, with the same method and body, and not compared: what takes a hundred
	// requests is one step.
	Before []string
	// Fill is the book whose shelf is made full first. The lab does that: by deliveries it would take years.
	Fill string
}

func (s Step) writes() bool {
	return s.Method != http.MethodGet && s.Method != http.MethodHead && s.Method != http.MethodOptions
}

// checkout says whether the step buys the cart, whose answer may be given before the order is settled.
func (s Step) checkout() bool { return s.Method == http.MethodPost && s.Path == "/v1/orders" }

// variable are the parts of a path that are not the same for all requests of a kind.
var variable = regexp.MustCompile(`/(<[^>]*>|[^/]*-[^/]*-[^/]*)`)

// kind is what the step asks for, without of whom.
func (s Step) kind() string {
	path, _, _ := strings.Cut(s.Path, "?")
	return s.Method + " " + variable.ReplaceAllString(path, "/*")
}

// String is the step as it is shown.
func (s Step) String() string {
	who := s.As
	if who == nobody {
		who = "nobody"
	}
	text := fmt.Sprintf("s%d %s: %s %s", s.ID, who, s.Method, clip(s.Path, 120))
	for _, name := range []string{"Idempotency-Key", "If-Match", "Content-Type", "Authorization"} {
		if value, set := s.Header[name]; set {
			text += fmt.Sprintf(" [%s: %s]", name, clip(value, 40))
		}
	}
	if s.Body != "" {
		text += " " + clip(s.Body, 160)
	}
	if len(s.Before) > 0 {
		text += fmt.Sprintf(", after the same at %d others from %s on", len(s.Before), s.Before[0])
	}
	if s.Fill != "" {
		text += ", after the shelf of " + s.Fill + " was filled"
	}
	return text
}

func clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return text[:most] + fmt.Sprintf("… (%d bytes)", len(text))
}

// world is what a sequence has to itself: customers, and words that nobody else uses.
type world struct {
	tag     string    // part of what has to be unique: titles, keys, addresses
	isbns   [6]string // of books that nobody has, in ascending order
	readers [2]string // the addresses of alice and bob
}

// placeholder is a name that a side fills in.
var placeholder = regexp.MustCompile(`<(tag|isbn[0-5]|reader[01]|s[0-9]+\.(?:id|item|cursor|etag))>`)

// unknownID stands for the id of something that was never made.
const unknownID = "019f0a3b-7c4d-7e5f-8a6b-0c1d2e3f4a5b"

// fill replaces the placeholders by what this side was answered. What was not is unknown, on both sides.
func (w *world) fill(text string, answered map[string]string) string {
	return placeholder.ReplaceAllStringFunc(text, func(found string) string {
		name := found[1 : len(found)-1]
		switch {
		case name == "tag":
			return w.tag
		case strings.HasPrefix(name, "isbn"):
			return w.isbns[name[4]-'0']
		case strings.HasPrefix(name, "reader"):
			return w.readers[name[6]-'0']
		}
		if value, known := answered[name]; known {
			return value
		}
		switch name[strings.IndexByte(name, '.')+1:] {
		case "id", "item":
			return unknownID
		case "etag":
			return `"1"`
		}
		return ""
	})
}
