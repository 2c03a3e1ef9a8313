package hostile_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const maxBody = 64 << 10

// atSessions are the places that take a sign-in, which is a body without more ado.
func atSessions(t *testing.T) []door { return everywhere(t, "accounts") }

func TestCompressedBomb(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	w, err := gzip.NewWriterLevel(&bomb, gzip.BestCompression)
	require.NoError(t, err)
	_, err = io.Copy(w, io.LimitReader(zeros{}, 32<<20))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.Less(t, bomb.Len(), maxBody, "small enough to be let in")

	at(t, atSessions(t), func(t *testing.T, d door) {
		for _, coding := range []string{"gzip", "deflate", "br", "gzip, gzip", "GZIP", "x-gzip"} {
			began := time.Now()
			d.ask(t, "POST", "/v1/sessions", bomb.String(), "Content-Encoding: "+coding).refused(http.StatusUnsupportedMediaType)
			require.Less(t, time.Since(began), 2*time.Second)
		}
		d.ask(t, "POST", "/v1/sessions", bomb.String()).refused(http.StatusBadRequest)
		d.ask(t, "POST", "/v1/sessions", bomb.String(), "Transfer-Encoding: gzip").refused(http.StatusBadRequest)
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// padded is a sign-in of so many bytes.
func padded(size int) string {
	body := credentials(newEmail(), "wrong")
	return body + strings.Repeat(" ", size-len(body))
}

// unsized is a reader whose length no client library can tell, so that it is sent in chunks.
type unsized struct{ io.Reader }

func TestBodiesTooLong(t *testing.T) {
	t.Parallel()
	at(t, atSessions(t), func(t *testing.T, d door) {
		d.ask(t, "POST", "/v1/sessions", padded(maxBody)).refused(http.StatusUnauthorized)
		d.ask(t, "POST", "/v1/sessions", padded(maxBody+1)).refused(http.StatusRequestEntityTooLarge)

		t.Run("in chunks", func(t *testing.T) {
			for size, status := range map[int]int{maxBody: 401, maxBody + 1: 413, 1 << 20: 413} {
				a, err := d.try(t, "POST", "/v1/sessions", unsized{strings.NewReader(padded(size))}, "Content-Type: application/json")
				require.NoError(t, err)
				a.t = t
				a.refused(status)
			}
		})
		t.Run("in more bytes than it says", func(t *testing.T) {
			conn := d.dial(t)
			_, err := io.WriteString(conn, "POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"+
				strings.Repeat("GET /internal/v1/keys HTTP/1.1\r\n\r\n", 10))
			require.NoError(t, err)
			all, _ := io.ReadAll(conn)
			require.Equal(t, 1, strings.Count(string(all), "HTTP/1.1 "), "%s", all)
		})
		t.Run("by its own account", func(t *testing.T) {
			d.wire(t, "POST /v1/sessions HTTP/1.1", "Content-Type: application/json", "Content-Length: 1099511627776").
				refused(http.StatusRequestEntityTooLarge)
		})
		t.Run("a password of a megabyte", func(t *testing.T) {
			began := time.Now()
			big := strings.Repeat("x", 1<<20)
			d.ask(t, "POST", "/v1/sessions", credentials(newEmail(), big)).refused(http.StatusRequestEntityTooLarge)
			require.Less(t, time.Since(began), 2*time.Second)
			// As long as a body may be, it is merely wrong, or too long to be chosen.
			d.ask(t, "POST", "/v1/sessions", credentials(newEmail(), big[:60<<10])).refused(http.StatusUnauthorized)
			d.ask(t, "POST", "/v1/accounts", strings.Replace(registration(newEmail(), "Eve"), password, big[:60<<10], 1)).
				refused(http.StatusUnprocessableEntity)
		})
	})
}

func TestOddBodies(t *testing.T) {
	t.Parallel()
	deep := func(open, shut string, levels int) string {
		return strings.Repeat(open, levels) + "1" + strings.Repeat(shut, levels)
	}
	bodies := map[string]string{
		"nested lists":                   deep("[", "]", 30_000),
		"nested lists in a field":        `{"email":` + deep("[", "]", 30_000) + `,"password":"x"}`,
		"nested objects":                 deep(`{"email":`, "}", 5_000),
		"lists that never close":         strings.Repeat("[", 60_000),
		"an unknown field":               `{"email":"a@b.example","password":"x","admin":true}`,
		"a field of the prototype":       `{"email":"a@b.example","password":"x","__proto__":{"role":"staff"}}`,
		"a field twice":                  `{"email":"a@b.example","password":"x","email":"staff@banyan.example"}`,
		"a field twice, once escaped":    `{"email":"a@b.example","password":"x","\u0065mail":"staff@banyan.example"}`,
		"a field in two cases":           `{"email":"a@b.example","password":"x","Email":"staff@banyan.example"}`,
		"a field in another case":        `{"email":"a@b.example","PASSWORD":"x"}`,
		"a list of requests":             `[{"email":"a@b.example","password":"x"}]`,
		"two requests":                   `{"email":"a@b.example","password":"x"}{"email":"a@b.example","password":"x"}`,
		"an object for a text":           `{"email":{"$ne":null},"password":{"$ne":null}}`,
		"a list for a text":              `{"email":["a@b.example"],"password":"x"}`,
		"a comment":                      `{"email":"a@b.example",/* */"password":"x"}`,
		"a comma too many":               `{"email":"a@b.example","password":"x",}`,
		"a byte order mark":              "\ufeff" + `{"email":"a@b.example","password":"x"}`,
		"a raw NUL":                      "{\"email\":\"a@b.example\x00\",\"password\":\"x\"}",
		"UTF-16":                         "{\x00\"\x00e\x00",
		"no JSON value at all":           "NaN",
		"a number beyond every exponent": `{"email":1e999999,"password":"x"}`,
	}
	at(t, atSessions(t), func(t *testing.T, d door) {
		for what, body := range bodies {
			began := time.Now()
			a := d.ask(t, "POST", "/v1/sessions", body)
			require.Equal(t, http.StatusBadRequest, a.status, "%s\n%s", what, a.body)
			require.Less(t, time.Since(began), 5*time.Second, what)
		}
		// None of them had to be refused for what they share.
		d.ask(t, "POST", "/v1/sessions", `{"email":"a@b.example","password":"x"}`).refused(http.StatusUnauthorized, http.StatusTooManyRequests)
	})
}
