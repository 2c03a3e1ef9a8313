package contract_test

import (
	"net/http"
	"strings"
	"testing"
)

// What no operation accepts. These tests read the document, and so hold for
// every operation in it.

func TestPathIDs(t *testing.T) {
	t.Parallel()
	inPath := func(o operation) bool { return o.inPath != "" }

	t.Run("that are no UUID cannot be read", func(t *testing.T) {
		t.Parallel()
		operations(t, inPath, func(t *testing.T, o operation) {
			for _, id := range []string{"7", "not-a-uuid", "019f0a3b7c4d7e5f8a6b0c1d2e3f4a5b"} {
				o.call(o.visitor(t), id).blames(http.StatusBadRequest, "malformed", o.inPath)
			}
		})
	})

	t.Run("that nothing has are not found", func(t *testing.T) {
		t.Parallel()
		canMiss := func(o operation) bool { return o.op.Responses.Status(http.StatusNotFound) != nil }
		operations(t, canMiss, func(t *testing.T, o operation) {
			o.call(o.visitor(t), unknownID()).refused(http.StatusNotFound, o.missing())
		})
	})
}

func TestBodies(t *testing.T) {
	t.Parallel()
	withBody := func(o operation) bool { return o.example != "" }

	unreadable := map[string]func(fine string) (body, blamed string){
		"that are empty":               func(string) (string, string) { return "", "body" },
		"that are no JSON":             func(string) (string, string) { return "{quantity: 1}", "body" },
		"that break off":               func(fine string) (string, string) { return fine[:len(fine)-1], "body" },
		"with something after the end": func(fine string) (string, string) { return fine + " {}", "body" },
		"that are a list":              func(fine string) (string, string) { return "[" + fine + "]", "body" },
		"with a field nobody knows":    func(fine string) (string, string) { return `{"surprise": 1, ` + fine[1:], "surprise" },
	}
	for name, spoil := range unreadable {
		t.Run(name+" cannot be read", func(t *testing.T) {
			t.Parallel()
			operations(t, withBody, func(t *testing.T, o operation) {
				body, blamed := spoil(string(o.example))
				o.callWith(o.visitor(t), unknownID(), raw(body)).blames(http.StatusBadRequest, "malformed", blamed)
			})
		})
	}

	for _, media := range []string{"text/plain", "application/xml", "application/x-www-form-urlencoded", "nonsense", ""} {
		t.Run("of content type '"+media+"' are refused", func(t *testing.T) {
			t.Parallel()
			operations(t, withBody, func(t *testing.T, o operation) {
				o.callWith(o.visitor(t), unknownID(), o.example, contentType(media)).
					refused(http.StatusUnsupportedMediaType, "unsupported-media-type")
			})
		})
	}

	t.Run("of more than 64 KiB are refused", func(t *testing.T) {
		t.Parallel()
		operations(t, withBody, func(t *testing.T, o operation) {
			padded := string(o.example) + strings.Repeat(" ", 64<<10)
			o.callWith(o.visitor(t), unknownID(), raw(padded)).refused(http.StatusRequestEntityTooLarge, "too-large")
		})
	})
}

func TestQueries(t *testing.T) {
	t.Parallel()
	every := func(operation) bool { return true }

	for name, c := range map[string]struct{ query, blamed string }{
		"with a bare semicolon":             {"limit=1;surprise=2", "query"},
		"of a semicolon":                    {";", "query"},
		"with an escape of one digit":       {"surprise=%2", "query"},
		"with an escape of no digits":       {"%zz=1", "query"},
		"with a parameter twice":            {"limit=1&limit=1", "limit"},
		"with a parameter twice, disguised": {"order_id=" + anID + "&order%5Fid=" + anID, "order_id"},
		"with one twice that nobody knows":  {"surprise=1&surprise=2", "surprise"},
	} {
		t.Run(name+" cannot be read, at any address, by anybody", func(t *testing.T) {
			t.Parallel()
			operations(t, every, func(t *testing.T, o operation) {
				o.path += "?" + c.query
				for _, v := range []visitor{o.visitor(t), anybody(t)} {
					o.call(v, unknownID()).blames(http.StatusBadRequest, "malformed", c.blamed)
				}
			})
			anybody(t).get("/v1/nothing?"+c.query).blames(http.StatusBadRequest, "malformed", c.blamed)
			anybody(t).put("/v1/accounts/me?"+c.query, object{}).blames(http.StatusBadRequest, "malformed", c.blamed)
		})
	}

	t.Run("may hold empty parts, and escaped what would divide them", func(t *testing.T) {
		t.Parallel()
		anybody(t).get("/v1/books?&limit=1&&q=a%3Bb%26c&").is(http.StatusOK)
	})
}
