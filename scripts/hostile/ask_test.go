package hostile_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// client does nothing by itself: no proxy, no compression, no redirects.
var client = &http.Client{
	Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Timeout:       30 * time.Second,
}

// answer is what came back.
type answer struct {
	t      *testing.T
	call   string
	status int
	header http.Header
	body   []byte
}

// ask sends a request. A body is JSON unless a header says otherwise; a header is
// "Name: value", and bearer makes the usual one.
func (d door) ask(t *testing.T, method, path, body string, headers ...string) answer {
	t.Helper()
	a, err := d.try(t, method, path, strings.NewReader(body), headers...)
	require.NoError(t, err)
	return a
}

// try is ask for goroutines and for bodies of unknown length.
func (d door) try(t *testing.T, method, path string, body io.Reader, headers ...string) (answer, error) {
	req, err := http.NewRequestWithContext(t.Context(), method, d.url+path, body)
	if err != nil {
		return answer{}, err
	}
	if req.ContentLength != 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header[http.CanonicalHeaderKey(name)] = append(req.Header[http.CanonicalHeaderKey(name)], value)
		if name == "Content-Type" {
			req.Header.Set(name, value)
		}
	}
	res, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	return answer{t, d.name + ": " + method + " " + path, res.StatusCode, res.Header, content}, err
}

func bearer(token string) string { return "Authorization: Bearer " + token }

// is fails the test unless the status is one of these.
func (a answer) is(statuses ...int) answer {
	a.t.Helper()
	require.Contains(a.t, statuses, a.status, "%s\n%.500s", a.call, a.body)
	return a
}

// refused is a clear no: one of these statuses, in the words of RFC 9457.
func (a answer) refused(statuses ...int) answer {
	a.t.Helper()
	a.is(statuses...)
	require.Equal(a.t, "application/problem+json", a.header.Get("Content-Type"), a.call)
	var problem struct {
		Type   string
		Status int
	}
	require.NoError(a.t, json.Unmarshal(a.body, &problem), "%s\n%s", a.call, a.body)
	require.Equal(a.t, a.status, problem.Status, a.call)
	require.NotEmpty(a.t, problem.Type, a.call)
	return a
}

// into reads the body.
func into[T any](a answer) T {
	a.t.Helper()
	var v T
	require.NoError(a.t, json.Unmarshal(a.body, &v), "%s\n%s", a.call, a.body)
	return v
}

// dial opens a connection to say things that no client library would.
func (d door) dial(t *testing.T) net.Conn {
	t.Helper()
	u, err := url.Parse(d.url)
	require.NoError(t, err)
	conn, err := net.DialTimeout("tcp", u.Host, 5*time.Second)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	return conn
}

// wire sends a request line and headers as they are and reads one answer.
func (d door) wire(t *testing.T, requestLine string, headers ...string) answer {
	t.Helper()
	conn := d.dial(t)
	text := requestLine + "\r\nHost: shop.example\r\n"
	for _, h := range headers {
		text += h + "\r\n"
	}
	_, err := io.WriteString(conn, text+"\r\n")
	require.NoError(t, err)
	method, _, _ := strings.Cut(requestLine, " ")
	return readAnswer(t, d.name+": "+requestLine, method, bufio.NewReader(conn))
}

func readAnswer(t *testing.T, call, method string, from *bufio.Reader) answer {
	t.Helper()
	res, err := http.ReadResponse(from, &http.Request{Method: method})
	require.NoError(t, err, call)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err, call)
	return answer{t, call, res.StatusCode, res.Header, body}
}

// eventually waits for what follows a little later.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); !holds(); time.Sleep(100 * time.Millisecond) {
		require.True(t, time.Now().Before(deadline), "did not happen: %s", what)
	}
}
