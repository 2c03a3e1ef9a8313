package hostile_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// Where gateway and service read a path differently, a client walks past the rules of
// one of them. So what is not plain is nobody's, or both say the same of it.
func TestPaths(t *testing.T) {
	t.Parallel()
	book := doors(t)[0].bookID(t)
	paths := []string{
		"/v1/books/../orders", "/v1/books/../../v1/orders", "/v1/../v1/books", "/v1/./books", "/./v1/books", "/../v1/books", "/v1/books/.", "/v1/books/..",
		"//v1/books", "/v1//books", "/v1/books//" + book, "///", "/v1/books/", "/v1/orders/",
		"/v1%2Fbooks", "/v1/books%2F" + book, "/v1/books/..%2Forders", "/v1/books/%2e%2e/orders", "/v1/books/%2E%2E%2Forders", "/v1/books/%252e%252e/orders",
		"/v1/books%00", "/v1/books/%00", "/v1/books/" + book + "%00", "/v1/orders%00/x", "/v1/books/%0d%0aX-Evil:%201", "/v1/books/%0a",
		"/v1\\books", "/v1/books\\..\\orders", "/v1/books/%5c..%5corders", "/v1/%62ooks", "/V1/Books", "/v1/books;x=1", "/v1/books;/../orders",
		"/v1/books/%c0%ae%c0%ae/orders", "/v1/books/%ff%fe", "/v1/books/%zz", "/v1/books/%", "/v1/books/%u002e", "/v1/books/\x7f", "/v1/books/%7f",
		"/v1/bestsellers/../books", "v1/books", "*", "", "http://127.0.0.1/v1/nothing", "/v1/books/" + book + "/../" + book,
	}
	at(t, everywhere(t, "catalog"), func(t *testing.T, d door) {
		for _, path := range paths {
			for _, method := range []string{"GET", "DELETE"} {
				a := d.wire(t, method+" "+path+" HTTP/1.1", "Connection: close")
				a.is(http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed)
				require.Empty(t, a.header.Get("X-Evil"), a.call)
				require.Empty(t, a.header.Get("Location"), "%s: no redirects to another spelling", a.call)
			}
		}
		d.wire(t, "GET /v1/books/"+book+" HTTP/1.1").is(http.StatusOK)
	})
	t.Run("what stands behind the gateway agrees with it", func(t *testing.T) {
		t.Parallel()
		front, behind := gateway(t), service(t, "catalog")
		for _, path := range paths {
			a := front.wire(t, "GET "+path+" HTTP/1.1", "Connection: close")
			b := behind.wire(t, "GET "+path+" HTTP/1.1", "Connection: close")
			if a.status != http.StatusNotFound && a.status != http.StatusBadRequest {
				require.Equal(t, b.status, a.status, path)
			}
		}
	})
	t.Run("queries with what no text may hold", func(t *testing.T) {
		t.Parallel()
		for _, d := range everywhere(t, "catalog") {
			for _, query := range []string{
				"q=%00", "subject=%00", "q=%ff%fe", "subject=%ff", "sort=%00", "cursor=%00", "ids=%00", "limit=%00", "limit=-1", "limit=1e9",
				"q=%27%3B+drop+table+books%3B--", "q=%25%25%25", "q=%3A%2A%26%7C%21%28", "subject=%27+or+1%3D1--", "limit=9223372036854775808",
				"cursor=e30", "cursor=bnVsbA", "%00=1",
			} {
				a := d.wire(t, "GET /v1/books?"+query+" HTTP/1.1", "Connection: close")
				require.Less(t, a.status, 500, "%s\n%s", a.call, a.body)
			}
			d.ask(t, "GET", "/v1/books/bestsellers?subject=%00", "").is(200, 400, 422)
			d.ask(t, "GET", "/v1/books/bestsellers?subject=%ff", "").is(200, 400, 422)
		}
	})
}

// A filter that one reader drops and another keeps shows more than was asked for. So what cannot be parsed is refused as a
// whole, before it is known who asks, at each door in the same words.
func TestQueriesReadTwoWays(t *testing.T) {
	t.Parallel()
	v := doors(t)[0].ada(t)
	for query, blamed := range map[string]string{
		"order_id=" + v.orderID + ";x": "query", "order_id=" + v.orderID + "%": "query", "order_id=%zz": "query", ";": "query", "%u0041=1": "query",
		"order_id=" + v.orderID + "&order_id=" + v.orderID: "order_id", "limit=1&%6cimit=100": "limit", "x&x": "x",
	} {
		at(t, everywhere(t, "accounts", "orders", "payments", "shipping", "notifications"), func(t *testing.T, d door) {
			for _, path := range []string{"/v1/payments", "/v1/shipments", "/v1/orders", "/v1/accounts/me", "/v1/nothing", "/"} {
				for _, method := range []string{"GET", "HEAD", "POST"} {
					a := d.wire(t, method+" "+path+"?"+query+" HTTP/1.1", "Connection: close", "Content-Length: 0")
					if method == "HEAD" {
						a.is(http.StatusBadRequest)
						continue
					}
					a.refused(http.StatusBadRequest)
					require.Contains(t, string(a.body), `"name":"`+blamed+`"`, a.call)
				}
			}
		})
	}
}
