package differ

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"banyan/scripts/lab/shop"
)

// compare says in what two answers to the same step differ; nothing if they do not.
func (n *names) compare(s Step, a, b shop.Answer) []string {
	if later(s, a, b) {
		return nil
	}
	var found []string
	if a.Status != b.Status {
		found = append(found, fmt.Sprintf("status: %d and %d", a.Status, b.Status))
	}
	found = append(found, n.compareHeaders(a.Header, b.Header)...)
	media := a.Header.Get("Content-Type")
	switch {
	case strings.HasPrefix(media, "text/html"):
		// A page for people may say whose it is.
	case strings.Contains(media, "json"):
		found = append(found, n.compareJSON(a.Body, b.Body)...)
	case !bytes.Equal(a.Body, b.Body):
		found = append(found, "body: the bytes differ")
	}
	return found
}

// later says whether a checkout was answered by one side once it was paid, and by the other before. Which of the two a
// customer gets is a matter of time; what becomes of the order is compared by the steps that follow.
func later(s Step, a, b shop.Answer) bool {
	return s.checkout() && a.Status != b.Status &&
		(a.Status == http.StatusCreated || a.Status == http.StatusAccepted) &&
		(b.Status == http.StatusCreated || b.Status == http.StatusAccepted)
}

// compareHeaders compares those that tell a client something.
func (n *names) compareHeaders(a, b http.Header) []string {
	var found []string
	differ := func(name string) {
		found = append(found, fmt.Sprintf("%s: %q and %q", name, a.Get(name), b.Get(name)))
	}
	for _, name := range []string{"Content-Type", "Content-Encoding", "ETag", "WWW-Authenticate", "Cache-Control", "Vary"} {
		if !slices.Equal(a.Values(name), b.Values(name)) {
			differ(name)
		}
	}
	if !n.same(a.Get("Location"), b.Get("Location")) {
		differ("Location")
	}
	if !slices.Equal(methods(a), methods(b)) {
		differ("Allow")
	}
	if (a.Get("Retry-After") == "") != (b.Get("Retry-After") == "") { // how long is each side's own guess
		differ("Retry-After")
	}
	return found
}

// methods are those that Allow names, whose order says nothing.
func methods(h http.Header) []string {
	named := strings.FieldsFunc(h.Get("Allow"), func(r rune) bool { return r == ',' || r == ' ' })
	slices.Sort(named)
	return named
}

func (n *names) compareJSON(a, b []byte) []string {
	valueA, errA := decode(a)
	valueB, errB := decode(b)
	if errA != nil || errB != nil {
		if bytes.Equal(a, b) {
			return nil // no body, on both
		}
		return []string{"body: one is no JSON"}
	}
	return n.compareValues("body", valueA, valueB)
}

// decode keeps numbers as they are written: 12 and 12.0 are not the same answer.
func decode(body []byte) (value any, err error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows")
	}
	return value, nil
}

func (n *names) compareValues(at string, a, b any) []string {
	differ := func() []string { return []string{fmt.Sprintf("%s: %s and %s", at, shown(a), shown(b))} }
	switch a := a.(type) {
	case map[string]any:
		b, both := b.(map[string]any)
		if !both {
			return differ()
		}
		return n.compareObjects(at, a, b)
	case []any:
		b, both := b.([]any)
		if !both {
			return differ()
		}
		return n.compareLists(at, a, b)
	case string:
		if b, both := b.(string); !both || !n.sameString(at, a, b) {
			return differ()
		}
	default:
		if a != b {
			return differ()
		}
	}
	return nil
}

// sameString knows what is opaque to clients: they can only tell whether it is there.
func (n *names) sameString(at, a, b string) bool {
	switch {
	case strings.HasSuffix(at, ".next_cursor"):
		return a != "" && b != ""
	case strings.HasSuffix(at, ".token"):
		return len(a) == len(b) && n.pair(a, b)
	}
	return n.same(a, b)
}

func (n *names) compareObjects(at string, a, b map[string]any) []string {
	var found []string
	fields := maps.Clone(a)
	maps.Copy(fields, b)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		valueA, inA := a[name]
		valueB, inB := b[name]
		switch {
		case inA && inB:
			found = append(found, n.compareValues(at+"."+name, valueA, valueB)...)
		case inA:
			found = append(found, fmt.Sprintf("%s.%s: %s and nothing", at, name, shown(valueA)))
		default:
			found = append(found, fmt.Sprintf("%s.%s: nothing and %s", at, name, shown(valueB)))
		}
	}
	return found
}

func (n *names) compareLists(at string, a, b []any) []string {
	var found []string
	if len(a) != len(b) {
		found = append(found, fmt.Sprintf("%s: %d and %d items", at, len(a), len(b)))
	}
	for i := range min(len(a), len(b)) {
		found = append(found, n.compareValues(fmt.Sprintf("%s[%d]", at, i), a[i], b[i])...)
	}
	return found
}

func shown(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return clip(string(text), 100)
}
