package payments

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
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
}

func newBank(t *testing.T) *bank {
	b := &bank{calls: map[uuid.UUID]int{}, charged: map[uuid.UUID]int{}, given: map[uuid.UUID]int{}}
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

// charge makes a charge once per reference, whatever it answers.
func (b *bank) charge(w http.ResponseWriter, r *http.Request) {
	req, status := b.heard(r)
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
	if b.charged[req.Reference] == 0 {
		status = http.StatusNotFound
	}
	if status == 200 {
		b.given[req.Reference] = 1
	}
	w.WriteHeader(status)
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

// ledger is how often the order's money was taken and given back.
func (b *bank) ledger(orderID uuid.UUID) (charged, given int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.charged[orderID], b.given[orderID]
}

func TestCharge(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	s := &Service{processor: NewProcessor(b.url, "secret")}

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
	t.Run("a key that the processor does not know is no decline", func(t *testing.T) {
		t.Parallel()
		s := &Service{processor: NewProcessor(b.url, "wrong")}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := s.Charge(ctx, uuid.New(), 999, "tok_declined")
		require.Error(t, err)
	})
}
