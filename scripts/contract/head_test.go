package contract_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHead(t *testing.T) {
	t.Parallel()
	gets := func(o operation) bool { return o.method == http.MethodGet }

	// like fails the test unless HEAD is answered as GET is.
	like := func(t *testing.T, v visitor, path string) reply {
		t.Helper()
		requestID := header{"X-Request-Id", word()}
		want, got := v.send(http.MethodGet, path, nil, requestID), v.send(http.MethodHead, path, nil, requestID)
		require.Equal(t, want.status, got.status, got.call)
		for _, h := range []http.Header{want.header, got.header} {
			h.Del("Date")
		}
		require.Equal(t, want.header, got.header, got.call)
		require.Empty(t, got.body, got.call)
		return got
	}

	t.Run("is answered as GET is, to those who may and to those who may not", func(t *testing.T) {
		t.Parallel()
		operations(t, gets, func(t *testing.T, o operation) {
			path := strings.NewReplacer("{"+o.inPath+"}", unknownID()).Replace(o.path)
			for _, v := range []visitor{o.visitor(t), anybody(t)} {
				like(t, v, path)
				like(t, v, path+"?surprise=1&surprise=2")
			}
		})
	})

	t.Run("of a book tells its version and its length", func(t *testing.T) {
		t.Parallel()
		b := staff(t).adds(newBook())
		r := like(t, anybody(t), "/v1/books/"+b.ID).is(http.StatusOK)
		require.NotEmpty(t, r.header.Get("ETag"))
		require.NotEmpty(t, r.header.Get("Content-Length"))
	})

	t.Run("is refused where there is no GET, and where there is nothing", func(t *testing.T) {
		t.Parallel()
		r := like(t, anybody(t), "/v1/accounts").is(http.StatusMethodNotAllowed)
		require.NotContains(t, r.header.Get("Allow"), http.MethodHead)
		like(t, anybody(t), "/v1/nothing").is(http.StatusNotFound)
	})

	// Those are not in the document, so the client does not check them.
	for _, path := range []string{"/", "/docs", "/openapi.yaml"} {
		t.Run("of the page "+path+" is answered as GET is", func(t *testing.T) {
			t.Parallel()
			ask := func(method string) (int, http.Header, []byte) {
				req, err := http.NewRequestWithContext(t.Context(), method, anybody(t).url+path, nil)
				require.NoError(t, err)
				req.Header.Set("X-Request-Id", "r1")
				resp, err := http.DefaultClient.Do(req)
				require.NoError(t, err)
				defer resp.Body.Close()
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				resp.Header.Del("Date")
				return resp.StatusCode, resp.Header, body
			}
			wantStatus, wantHeader, _ := ask(http.MethodGet)
			status, header, body := ask(http.MethodHead)
			require.Equal(t, wantStatus, status)
			require.Equal(t, wantHeader, header)
			require.Empty(t, body)
		})
	}
}
