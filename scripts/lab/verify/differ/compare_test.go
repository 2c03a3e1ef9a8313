package differ

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/scripts/lab/shop"
)

const (
	idA = "019f0a3b-7c4d-7e5f-8a6b-00000000000a"
	idB = "019f0a3b-7c4d-7e5f-8a6b-00000000000b"
	idC = "019f0a3b-7c4d-7e5f-8a6b-00000000000c"
)

func TestNames(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		pairs [][2]string
		same  bool // the last pair; those before are
	}{
		"ids may be each side's own":                       {[][2]string{{idA, idB}}, true},
		"an id stands for the same one again":              {[][2]string{{idA, idB}, {"/v1/orders/" + idA, "/v1/orders/" + idB}}, true},
		"an id does not stand for a second one":            {[][2]string{{idA, idB}, {idA, idC}}, false},
		"two ids do not stand for the same one":            {[][2]string{{idA, idB}, {idC, idB}}, false},
		"the text around them has to be equal":             {[][2]string{{"/v1/orders/" + idA, "/v1/books/" + idB}}, false},
		"an id does not stand for a word":                  {[][2]string{{idA, "none"}}, false},
		"times may be seconds apart":                       {[][2]string{{"2026-11-23T10:15:30.123456Z", "2026-11-23T10:15:32Z"}}, true},
		"times may not be hours apart":                     {[][2]string{{"2026-11-23T10:15:30Z", "2026-11-23T11:15:30Z"}}, false},
		"the same moment in another zone is another thing": {[][2]string{{"2026-11-23T10:15:30Z", "2026-11-23T11:15:30+01:00"}}, false},
		"tracking numbers may be each side's own":          {[][2]string{{"BN7VPYVQ2GNMAAAAAA", "BNABCDEFGH234567ZZ"}}, true},
		"a title is not made of ids":                       {[][2]string{{"The Sea-Wolf", "The Sea Wolf"}}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNames()
			for i, pair := range c.pairs {
				want := c.same || i < len(c.pairs)-1
				require.Equal(t, want, n.same(pair[0], pair[1]), "%s and %s", pair[0], pair[1])
			}
		})
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	get := Step{Method: http.MethodGet, Path: "/v1/books"}
	buy := Step{Method: http.MethodPost, Path: "/v1/orders"}
	said := func(status int, body string, headers ...string) shop.Answer {
		a := shop.Answer{Status: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
		for i := 0; i < len(headers); i += 2 {
			a.Header.Set(headers[i], headers[i+1])
		}
		return a
	}
	cases := map[string]struct {
		step  Step
		a, b  shop.Answer
		finds string // empty: nothing
	}{
		"the order of fields says nothing":     {get, said(200, `{"a":1,"b":2}`), said(200, `{"b":2,"a":1}`), ""},
		"a cursor is opaque":                   {get, said(200, `{"next_cursor":"x"}`), said(200, `{"next_cursor":"yy"}`), ""},
		"but there or not":                     {get, said(200, `{"next_cursor":"x"}`), said(200, `{"next_cursor":null}`), `body.next_cursor: "x" and null`},
		"a status":                             {get, said(200, `{}`), said(404, `{}`), "status: 200 and 404"},
		"a cent":                               {get, said(200, `{"price":{"amount":1299}}`), said(200, `{"price":{"amount":1300}}`), "body.price.amount: 1299 and 1300"},
		"a number that is written differently": {get, said(200, `{"n":1}`), said(200, `{"n":1.0}`), "body.n: 1 and 1.0"},
		"a field that is missing":              {get, said(200, `{"a":1,"b":null}`), said(200, `{"a":1}`), "body.b: null and nothing"},
		"a list in another order":              {get, said(200, `{"items":["x","y"]}`), said(200, `{"items":["y","x"]}`), `body.items[0]: "x" and "y"`},
		"an item more":                         {get, said(200, `[1,2]`), said(200, `[1]`), "body: 2 and 1 items"},
		"a header":                             {get, said(200, `{}`, "ETag", `"1"`), said(200, `{}`, "ETag", `"2"`), `ETag: "\"1\"" and "\"2\""`},
		"that one side asks to wait":           {get, said(429, `{}`, "Retry-After", "1"), said(429, `{}`), `Retry-After: "1" and ""`},
		"how long is not compared":             {get, said(429, `{}`, "Retry-After", "1"), said(429, `{}`, "Retry-After", "3"), ""},
		"the order of methods says nothing":    {get, said(405, `{}`, "Allow", "GET, POST"), said(405, `{}`, "Allow", "POST,GET"), ""},
		"the methods do":                       {get, said(405, `{}`, "Allow", "GET, POST"), said(405, `{}`, "Allow", "GET"), `Allow: "GET, POST" and "GET"`},
		"a checkout may be answered earlier":   {buy, said(201, `{"status":"paid"}`), said(202, `{"status":"pending"}`), ""},
		"another request may not":              {get, said(201, `{}`), said(202, `{}`), "status: 201 and 202"},
		"what is no JSON":                      {get, said(200, `{}`), said(200, `oops`), "body: one is no JSON"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := newNames().compare(c.step, c.a, c.b)
			if c.finds == "" {
				require.Empty(t, found)
			} else {
				require.Contains(t, found, c.finds)
			}
		})
	}
}
