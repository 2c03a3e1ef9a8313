package contract_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

const (
	pollEvery  = 50 * time.Millisecond
	settleTime = 15 * time.Second // for what may follow a little later
)

// visitor is somebody at the shop's door: anybody, a customer, or the staff.
type visitor struct {
	t     *testing.T
	url   string
	token string // empty: not signed in
}

var client = sync.OnceValues(newClient)

// anybody is a visitor who is not signed in.
func anybody(t *testing.T) visitor {
	t.Helper()
	return visitor{t: t, url: strings.TrimSuffix(shopURL(t), "/")}
}

// in is the same visitor in a subtest.
func (v visitor) in(t *testing.T) visitor {
	v.t = t
	return v
}

var staffSession struct {
	sync.Mutex
	token string
}

// staff is the seeded staff account. It signs in once for the whole run.
func staff(t *testing.T) visitor {
	t.Helper()
	v := anybody(t)
	staffSession.Lock()
	defer staffSession.Unlock()
	if staffSession.token == "" {
		staffSession.token = v.signIn("staff@banyan.example", "banyan-staff").Token
	}
	v.token = staffSession.token
	return v
}

// header is one header of a request, such as an Idempotency-Key.
type header struct{ name, value string }

func key(value string) header     { return header{"Idempotency-Key", value} }
func freshKey() header            { return key(uuid.NewString()) }
func contentType(v string) header { return header{"Content-Type", v} }

// raw is a body that is sent as it is; any other is sent as JSON.
type raw string

// send makes one request and fails the test if the answer breaks the contract.
// It must run on the test's own goroutine; see try.
func (v visitor) send(method, path string, body any, headers ...header) reply {
	v.t.Helper()
	r, err := v.try(method, path, body, headers...)
	require.NoError(v.t, err)
	return r
}

// try is send for goroutines, which may not end a test.
func (v visitor) try(method, path string, body any, headers ...header) (reply, error) {
	call := method + " " + path
	var content io.Reader
	switch b := body.(type) {
	case nil:
	case raw:
		content = strings.NewReader(string(b))
	default:
		encoded, err := json.Marshal(b)
		if err != nil {
			return reply{}, err
		}
		content = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(v.t.Context(), method, v.url+path, content)
	if err != nil {
		return reply{}, err
	}
	if content != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if v.token != "" {
		req.Header.Set("Authorization", "Bearer "+v.token)
	}
	for _, h := range headers {
		if h.value == "" {
			req.Header.Del(h.name)
			continue
		}
		req.Header.Set(h.name, h.value)
	}
	c, err := client()
	if err != nil {
		return reply{}, err
	}
	resp, err := c.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return reply{}, fmt.Errorf("%s: %w", call, err)
	}
	return reply{t: v.t, call: call, status: resp.StatusCode, header: resp.Header, body: answer}, nil
}

func (v visitor) get(path string) reply    { v.t.Helper(); return v.send(http.MethodGet, path, nil) }
func (v visitor) delete(path string) reply { v.t.Helper(); return v.send(http.MethodDelete, path, nil) }

func (v visitor) post(path string, body any, headers ...header) reply {
	v.t.Helper()
	return v.send(http.MethodPost, path, body, headers...)
}

func (v visitor) put(path string, body any) reply {
	v.t.Helper()
	return v.send(http.MethodPut, path, body)
}

func (v visitor) patch(path string, body any, headers ...header) reply {
	v.t.Helper()
	headers = append([]header{contentType("application/merge-patch+json")}, headers...)
	return v.send(http.MethodPatch, path, body, headers...)
}

// reply is an answer that keeps the contract.
type reply struct {
	t      *testing.T
	call   string
	status int
	header http.Header
	body   []byte
}

// is fails the test unless the answer has the status.
func (r reply) is(status int) reply {
	r.t.Helper()
	require.Equal(r.t, status, r.status, "%s\n%s", r.call, r.body)
	return r
}

// refused fails the test unless the answer is the problem with this status and code.
func (r reply) refused(status int, code string) problem {
	r.t.Helper()
	r.is(status)
	p := into[problem](r)
	require.Equal(r.t, "urn:banyan:problem:"+code, p.Type, "%s\n%s", r.call, r.body)
	return p
}

// blames fails the test unless the answer has the status and code and names the field.
func (r reply) blames(status int, code, field string) {
	r.t.Helper()
	var named []string
	for _, e := range r.refused(status, code).Errors {
		named = append(named, e.Name)
	}
	require.Contains(r.t, named, field, "%s\n%s", r.call, r.body)
}

// same fails the test unless the other answer is a replay of this one.
func (r reply) same(other reply) {
	r.t.Helper()
	require.Equal(r.t, r.status, other.status, "%s\n%s", r.call, other.body)
	require.Equal(r.t, string(r.body), string(other.body), r.call)
	for _, name := range []string{"Content-Type", "Location"} {
		require.Equal(r.t, r.header.Values(name), other.header.Values(name), "%s: %s", r.call, name)
	}
}

// into reads the body of an answer.
func into[T any](r reply) T {
	r.t.Helper()
	var v T
	require.NoError(r.t, json.Unmarshal(r.body, &v), "%s\n%s", r.call, r.body)
	return v
}

// eventually waits for what may follow a little later.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	within(t, settleTime, what, holds)
}

func within(t *testing.T, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !holds(); time.Sleep(pollEvery) {
		require.True(t, time.Now().Before(deadline), "not within %s: %s", limit, what)
	}
}

// word is a lower-case word that no other run has used.
func word() string {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	var b strings.Builder
	for range 14 {
		b.WriteByte(letters[digit(int64(len(letters)))])
	}
	return b.String()
}

// newISBN is a valid ISBN-13 of the 979 range that no other run has used.
func newISBN() string {
	digits := []byte("979")
	sum := 9 + 3*7 + 9
	for i := 3; i < 12; i++ {
		d := digit(10)
		digits = append(digits, byte('0'+d))
		sum += d * (1 + 2*(i%2))
	}
	return string(append(digits, byte('0'+(10-sum%10)%10)))
}

func digit(below int64) int {
	n, err := rand.Int(rand.Reader, big.NewInt(below))
	if err != nil {
		panic(err) // the system has no randomness
	}
	return int(n.Int64())
}
