package contract_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// anID has the form of the shop's ids.
const anID = "019f0a3b-7c4d-7e5f-8a6b-0c1d2e3f4a5b"

const goodStock = `{"book_id": "` + anID + `", "available": 3}`

func problemJSON(status, code string) string {
	return `{"type": "urn:banyan:problem:` + code + `", "title": "No", "status": ` + status + `, "detail": "No."}`
}

// canned answers every request with the same.
type canned struct {
	status  int
	headers []string // "Name: value"
	body    string
}

func (c canned) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if c.status >= 400 {
		w.Header().Set("Content-Type", "application/problem+json")
	}
	for _, h := range c.headers {
		name, value, _ := strings.Cut(h, ": ")
		w.Header().Set(name, value)
	}
	w.WriteHeader(c.status)
	_, _ = w.Write([]byte(c.body))
}

// at is a visitor with a token at a shop that is all made up.
func at(t *testing.T, shop http.Handler) visitor {
	t.Helper()
	server := httptest.NewServer(shop)
	t.Cleanup(server.Close)
	return visitor{t: t, url: server.URL, token: "a-token-of-some-length"}
}

func TestHarness(t *testing.T) {
	t.Parallel()
	const stockPath = "/v1/stock/" + anID
	notFound := problemJSON("404", "no-such-book")
	cases := map[string]struct {
		method, path string
		body         any
		answer       canned
		complaint    string // empty: the answer is fine
	}{
		"a good answer passes":  {"GET", stockPath, nil, canned{200, nil, goodStock}, ""},
		"a good problem passes": {"GET", stockPath, nil, canned{404, nil, notFound}, ""},
		"a stray field is caught": {"GET", stockPath, nil,
			canned{200, nil, `{"book_id": "` + anID + `", "available": 3, "secret": 1}`}, `property "secret" is unsupported`},
		"a missing field is caught": {"GET", stockPath, nil,
			canned{200, nil, `{"available": 3}`}, `property "book_id" is missing`},
		"a null where none may be is caught": {"GET", stockPath, nil,
			canned{200, nil, `{"book_id": "` + anID + `", "available": null}`}, "not nullable"},
		"an id that is no UUIDv7 is caught": {"GET", stockPath, nil,
			canned{200, nil, `{"book_id": "f47ac10b-58cc-4372-a567-0e02b2c3d479", "available": 3}`}, "pattern"},
		"an undocumented status is caught": {"GET", stockPath, nil, canned{418, nil, notFound}, "status is not supported"},
		"a status that another operation has is caught": {"GET", stockPath, nil,
			canned{402, nil, problemJSON("402", "declined")}, "status is not supported"},
		"a code that does not belong to the status is caught": {"GET", stockPath, nil,
			canned{404, nil, problemJSON("404", "forbidden")}, "is not one of the allowed values"},
		"the router's 404 where there is a route is caught": {"GET", stockPath, nil,
			canned{404, nil, problemJSON("404", "not-found")}, "is not one of the allowed values"},
		"a status in the body that differs from the answer's is caught": {"GET", stockPath, nil,
			canned{404, nil, problemJSON("500", "no-such-book")}, "is not one of the allowed values"},
		"a trace id in a problem is caught": {"GET", stockPath, nil,
			canned{404, nil, notFound[:len(notFound)-1] + `, "trace_id": "4bf9"}`}, `property "trace_id" is unsupported`},
		"a problem that calls itself plain JSON is caught": {"GET", stockPath, nil,
			canned{404, []string{"Content-Type: application/json"}, notFound}, "Content-Type"},
		"401 without WWW-Authenticate is caught": {"GET", stockPath, nil,
			canned{401, nil, problemJSON("401", "unauthenticated")}, `"WWW-Authenticate" missing`},
		"503 without Retry-After is caught": {"GET", stockPath, nil,
			canned{503, nil, problemJSON("503", "unavailable")}, `"Retry-After" missing`},
		"402 without the order is caught": {"POST", "/v1/orders", checkout("tok_declined"),
			canned{402, nil, problemJSON("402", "declined")}, `property "order_id" is missing`},
		"422 invalid that blames nobody is caught": {"PUT", "/v1/cart/items/" + anID, object{"quantity": 100},
			canned{422, nil, problemJSON("422", "invalid")}, `property "errors" is missing`},
		"a request that should not have been accepted is caught": {"POST", stockPath + "/deliveries", object{"quantity": 0},
			canned{200, nil, goodStock}, "number must be at least 1"},
		"a refusal for state of what should have been unreadable is caught": {"POST", "/v1/orders", object{"card": "tok_visa"},
			canned{409, nil, problemJSON("409", "sold-out")}, `property "card" is unsupported`},
		"a success that is not documented is caught": {"DELETE", "/v1/sessions/current", nil,
			canned{202, nil, "{}"}, "status is not supported"},
		"405 without Allow is caught": {"DELETE", "/v1/books", nil,
			canned{405, nil, problemJSON("405", "method-not-allowed")}, "Allow"},
		"405 that allows GET and not HEAD is caught": {"DELETE", "/v1/books", nil,
			canned{405, []string{"Allow: GET, POST"}, problemJSON("405", "method-not-allowed")}, "HEAD"},
		"a good answer to HEAD passes":              {"HEAD", stockPath, nil, canned{200, nil, goodStock}, ""},
		"an undocumented status for HEAD is caught": {"HEAD", stockPath, nil, canned{418, nil, ""}, "status is not supported"},
		"a good 405 passes": {"DELETE", "/v1/books", nil,
			canned{405, []string{"Allow: GET, HEAD, POST"}, problemJSON("405", "method-not-allowed")}, ""},
		"a plain 404 of the router is caught": {"GET", "/v1/nothing", nil,
			canned{404, []string{"Content-Type: text/plain"}, "404 page not found"}, "problem+json"},
		"a router that answers 200 everywhere is caught": {"GET", "/v1/nothing", nil,
			canned{200, nil, goodStock}, "no operation is here"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := at(t, c.answer).try(c.method, c.path, c.body, freshKey())
			if c.complaint == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.complaint)
		})
	}

	t.Run("success without a token is caught", func(t *testing.T) {
		t.Parallel()
		v := at(t, canned{200, nil, goodStock})
		v.token = ""
		_, err := v.try("GET", stockPath, nil)
		require.ErrorContains(t, err, "no token was sent")
	})

	t.Run("what is throttled is asked again, body and all", func(t *testing.T) {
		t.Parallel()
		var asked atomic.Int32
		v := at(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if asked.Add(1) == 1 {
				canned{429, []string{"Retry-After: 1"}, problemJSON("429", "throttled")}.ServeHTTP(w, r)
				return
			}
			if r.ContentLength != int64(len(`{"quantity":5}`)) {
				w.WriteHeader(http.StatusTeapot)
				return
			}
			canned{200, nil, goodStock}.ServeHTTP(w, r)
		}))
		v.post(stockPath+"/deliveries", object{"quantity": 5}, freshKey()).is(http.StatusOK)
		require.EqualValues(t, 2, asked.Load())
	})
}

func TestMadeUpNames(t *testing.T) {
	t.Parallel()
	for range 100 {
		isbn := newISBN()
		sum := 0
		for i, d := range isbn {
			sum += int(d-'0') * (1 + 2*(i%2))
		}
		require.Len(t, isbn, 13)
		require.Zero(t, sum%10, "%s has a wrong check digit", isbn)
	}
	require.NotEqual(t, word(), word())
}
