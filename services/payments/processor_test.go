package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// bank stands in for the card processor.
type bank struct {
	mu      sync.Mutex
	calls   map[uuid.UUID]int
	charged map[uuid.UUID]int // effects, by reference
	given   map[uuid.UUID]int // back
	// answer is asked at each call, how often this reference was heard of before
	// and with which token, and returns a status.
	answer func(call int, token string) int
	url    string
	none   string // what it calls a refund of nothing
}

func newBank(t *testing.T) *bank {
	b := &bank{calls: map[uuid.UUID]int{}, charged: map[uuid.UUID]int{}, given: map[uuid.UUID]int{}, none: "never-charged"}
	b.answer = func(int, string) int { return 200 }
	mux := http.NewServeMux()
	mux.HandleFunc("POST /charges", b.charge)
	mux.HandleFunc("POST /refunds", b.refund)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

type bankRequest struct {
	Reference uuid.UUID
	Amount    int64
	Currency  string
	Token     string
}

// charge makes a charge once per reference, whatever it answers, unless it refuses.
func (b *bank) charge(w http.ResponseWriter, r *http.Request) {
	req, status := b.heard(r)
	if refusal(status) {
		says(w, status, "reference-reused")
		return
	}
	result := "declined"
	if req.Token != "tok_declined" {
		result = "approved"
		b.mu.Lock()
		b.charged[req.Reference] = 1
		b.mu.Unlock()
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"status": result})
}

func (b *bank) refund(w http.ResponseWriter, r *http.Request) {
	req, status := b.heard(r)
	b.mu.Lock()
	defer b.mu.Unlock()
	if status == 200 && b.charged[req.Reference] == 0 {
		says(w, map[string]int{"never-charged": 404, "charge-declined": 409}[b.none], b.none)
		return
	}
	if status == 200 {
		b.given[req.Reference] = 1
	}
	w.WriteHeader(status)
}

// refusal reports whether the status is a definite no.
func refusal(status int) bool { return slices.Contains([]int{400, 409, 413, 422}, status) }

// says answers with a problem as the processor does.
func says(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"type": "/problems/" + code, "status": status, "detail": "No."})
}

func (b *bank) heard(r *http.Request) (req bankRequest, status int) {
	_ = json.NewDecoder(r.Body).Decode(&req)
	b.mu.Lock()
	call, answer := b.calls[req.Reference], b.answer
	b.calls[req.Reference]++
	b.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer secret" {
		return bankRequest{}, http.StatusUnauthorized
	}
	return req, answer(call, req.Token)
}

// answers sets what it answers from now on.
func (b *bank) answers(answer func(call int, token string) int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer = answer
}

// forget makes the processor know nothing of a charge.
func (b *bank) forget(orderID uuid.UUID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.charged, orderID)
}

// heardOf is how many calls there were for the order.
func (b *bank) heardOf(orderID uuid.UUID) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls[orderID]
}

// finds sets what it calls a refund of nothing.
func (b *bank) finds(code string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.none = code
}

// ledger is how often the order's money was taken and given back.
func (b *bank) ledger(orderID uuid.UUID) (charged, given int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.charged[orderID], b.given[orderID]
}

func TestCharge(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	b := s.bank

	b.answers(func(call int, token string) int {
		switch {
		case token == "tok_flaky" && call < 2, token == "tok_broken":
			return 500
		case token == "tok_slow" && call == 0:
			time.Sleep(callTime + 300*time.Millisecond)
		}
		return 200
	})
	for token, captured := range map[string]bool{"tok_visa": true, "tok_declined": false, "tok_flaky": true, "tok_slow": true} {
		t.Run(token+" has a definite outcome", func(t *testing.T) {
			t.Parallel()
			got, err := s.Charge(t.Context(), uuid.New(), 999, token)
			require.NoError(t, err)
			require.Equal(t, captured, got)
		})
	}
	t.Run("an outcome that stays unknown is an error, once the time is over", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		_, err := s.Charge(ctx, uuid.New(), 999, "tok_broken")
		require.Error(t, err)
	})
	t.Run("an outcome that is neither yes nor no is unknown, and asked for again", func(t *testing.T) {
		t.Parallel()
		for _, body := range []string{
			`{"status":"pending"}`, `{"status":"Approved"}`, `{"status":""}`, `{}`, `[]`, `null`, ``, `{"status":"approved"`, `<html>approved</html>`,
		} {
			var calls atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if calls.Add(1) > 1 {
					body = `{"status":"approved"}`
				}
				_, _ = io.WriteString(w, body)
			}))
			t.Cleanup(server.Close)
			s := &Service{pool: s.pool, processor: NewProcessor(server.URL, "secret")}
			captured, err := s.Charge(t.Context(), uuid.New(), 999, "tok_visa")
			require.NoError(t, err, body)
			require.True(t, captured, body)
			require.EqualValues(t, 2, calls.Load(), body)
		}
	})
	t.Run("a status that decides nothing is asked again", func(t *testing.T) {
		t.Parallel()
		for _, status := range []int{401, 402, 403, 404, 405, 408, 410, 412, 415, 418, 425, 429, 500, 501, 502, 503, 504} {
			var calls atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if calls.Add(1) == 1 {
					w.WriteHeader(status)
				}
				_, _ = io.WriteString(w, `{"status":"declined"}`)
			}))
			t.Cleanup(server.Close)
			s := &Service{pool: s.pool, processor: NewProcessor(server.URL, "secret")}
			captured, err := s.Charge(t.Context(), uuid.New(), 999, "tok_visa")
			require.NoError(t, err, status)
			require.False(t, captured, status)
			require.EqualValues(t, 2, calls.Load(), status)
		}
	})
	t.Run("a definite no is ErrRefused, at once", func(t *testing.T) {
		t.Parallel()
		for _, status := range []int{400, 409, 413, 422} {
			bank := newBank(t)
			bank.answers(func(int, string) int { return status })
			s := &Service{pool: s.pool, processor: NewProcessor(bank.url, "secret")}
			id := uuid.New()
			_, err := s.Charge(t.Context(), id, 999, "tok_visa")
			require.ErrorIs(t, err, ErrRefused, status)
			require.Equal(t, 1, bank.heardOf(id))
		}
	})
	t.Run("a no to a charge that went out twice is not definite", func(t *testing.T) {
		t.Parallel()
		var calls atomic.Int32
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			switch calls.Add(1) {
			case 1: // leaves an idle connection
				_, _ = io.WriteString(w, `{"status":"approved"}`)
			case 2: // hears the charge on it, and goes away
				panic(http.ErrAbortHandler)
			default: // the client has sent it again by itself
				says(w, 422, "reference-reused")
			}
		}))
		t.Cleanup(server.Close)
		p := NewProcessor(server.URL, "secret")
		_, err := p.charge(t.Context(), uuid.New(), 999, "tok_visa")
		require.NoError(t, err)
		_, err = p.charge(t.Context(), uuid.New(), 999, "tok_visa")
		require.Error(t, err)
		require.EqualValues(t, 3, calls.Load())
		require.False(t, definite(err), err)
	})
	t.Run("a key that the processor does not know is no decline", func(t *testing.T) {
		t.Parallel()
		s := &Service{pool: s.pool, processor: NewProcessor(b.url, "wrong")}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := s.Charge(ctx, uuid.New(), 999, "tok_declined")
		require.Error(t, err)
	})
}
