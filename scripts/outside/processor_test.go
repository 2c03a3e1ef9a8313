package main

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	world := startWorld(t)

	for token, want := range map[string]string{
		"tok_visa":     statusApproved,
		"tok_declined": statusDeclined,
		"tok_unheard":  statusDeclined,
	} {
		t.Run(token+" is "+want, func(t *testing.T) {
			t.Parallel()
			status, body := world.post(t, "/charges", chargeOf(token, token))
			require.Equal(t, http.StatusOK, status)
			require.JSONEq(t, `{"reference":"`+token+`","status":"`+want+`","amount":1299,"currency":"USD"}`, body)
		})
	}

	t.Run("tok_slow approves after two seconds, though its client has gone", func(t *testing.T) {
		t.Parallel()
		impatient, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, _, err := world.try(impatient, "/charges", chargeOf("slow", "tok_slow"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Empty(t, world.effectsOf(t, "slow"))

		status, body := world.post(t, "/charges", chargeOf("slow", "tok_slow"))
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, body, statusApproved)
		require.Equal(t, []string{effectCharge}, world.effectsOf(t, "slow"))
	})

	t.Run("tok_timeout charges and keeps silent once", func(t *testing.T) {
		t.Parallel()
		impatient, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, _, err := world.try(impatient, "/charges", chargeOf("silent", "tok_timeout"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, []string{effectCharge}, world.effectsOf(t, "silent"))

		status, body := world.post(t, "/charges", chargeOf("silent", "tok_timeout"))
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, body, statusApproved)
		require.Equal(t, []string{effectCharge}, world.effectsOf(t, "silent"))
	})

	t.Run("tok_flaky fails twice and then approves", func(t *testing.T) {
		t.Parallel()
		for _, want := range []int{500, 500, 200, 200} {
			status, _ := world.post(t, "/charges", chargeOf("flaky", "tok_flaky"))
			require.Equal(t, want, status)
		}
		require.Equal(t, []string{effectCharge}, world.effectsOf(t, "flaky"))
	})
}

func TestRefusedTokens(t *testing.T) {
	t.Parallel()
	world := startWorld(t)

	t.Run("tok_refused is refused and never charged", func(t *testing.T) {
		t.Parallel()
		for range 2 {
			status, body := world.post(t, "/charges", chargeOf("refused", "tok_refused"))
			require.Equal(t, http.StatusUnprocessableEntity, status)
			require.Contains(t, body, "/problems/token-refused")
		}
		require.Empty(t, world.effectsOf(t, "refused"))
		status, body := world.post(t, "/refunds", map[string]string{"reference": "refused"})
		require.Equal(t, http.StatusNotFound, status)
		require.Contains(t, body, "/problems/never-charged")
	})

	t.Run("tok_unsure charges, does not say so, and is refused from then on", func(t *testing.T) {
		t.Parallel()
		for _, want := range []int{500, 422, 422} {
			status, _ := world.post(t, "/charges", chargeOf("unsure", "tok_unsure"))
			require.Equal(t, want, status)
		}
		status, _ := world.post(t, "/refunds", map[string]string{"reference": "unsure"})
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, []string{effectCharge, effectRefund}, world.effectsOf(t, "unsure"))
	})
}

func TestReferenceIsTheIdempotencyKey(t *testing.T) {
	t.Parallel()
	world := startWorld(t)

	t.Run("a hundred charges at once are one effect", func(t *testing.T) {
		t.Parallel()
		for _, token := range []string{"tok_visa", "tok_slow", "tok_declined"} {
			var clients sync.WaitGroup
			bodies := make([]string, 100)
			for i := range bodies {
				clients.Go(func() {
					_, bodies[i], _ = world.try(t.Context(), "/charges", chargeOf("crowd-"+token, token))
				})
			}
			clients.Wait()
			require.Contains(t, bodies[0], `"status"`)
			for _, body := range bodies {
				require.Equal(t, bodies[0], body)
			}
			require.Len(t, world.effectsOf(t, "crowd-"+token), 1)
		}
	})

	t.Run("another amount, currency or token is refused", func(t *testing.T) {
		t.Parallel()
		world.post(t, "/charges", chargeOf("fixed", "tok_visa"))
		for _, other := range []ChargeRequest{
			{"fixed", 1300, "USD", "tok_visa"},
			{"fixed", 1299, "EUR", "tok_visa"},
			{"fixed", 1299, "USD", "tok_declined"},
		} {
			status, body := world.post(t, "/charges", other)
			require.Equal(t, http.StatusUnprocessableEntity, status)
			require.Contains(t, body, "/problems/reference-reused")
		}
		require.Len(t, world.effectsOf(t, "fixed"), 1)
	})

	t.Run("merchants do not share references", func(t *testing.T) {
		t.Parallel()
		world.post(t, "/charges", chargeOf("shared", "tok_visa"))
		other := world
		other.key = "key-of-services"
		status, _ := other.post(t, "/charges", ChargeRequest{"shared", 5, "USD", "tok_visa"})
		require.Equal(t, http.StatusOK, status)

		require.Equal(t, []string{effectCharge}, world.effectsOf(t, "shared"))
		status, _ = world.post(t, "/charges", chargeOf("strange", "tok_visa"))
		require.Equal(t, http.StatusOK, status)
		status, services := world.get(t, "/ledger?merchant=services")
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, services, `"amount":5`)
		require.NotContains(t, services, "strange")
	})
}

func TestRefunds(t *testing.T) {
	t.Parallel()
	world := startWorld(t)
	refund := func(reference string) (int, string) {
		return world.post(t, "/refunds", map[string]string{"reference": reference})
	}

	t.Run("a charge is refunded once, however often it is asked", func(t *testing.T) {
		world.post(t, "/charges", chargeOf("bought", "tok_visa"))
		for range 3 {
			status, body := refund("bought")
			require.Equal(t, http.StatusOK, status)
			require.JSONEq(t, `{"reference":"bought","status":"refunded"}`, body)
		}
		require.Equal(t, []string{effectCharge, effectRefund}, world.effectsOf(t, "bought"))

		_, body := world.post(t, "/charges", chargeOf("bought", "tok_visa"))
		require.Contains(t, body, statusApproved, "the first result of the charge stays what it was")
	})

	t.Run("a declined charge has nothing to refund", func(t *testing.T) {
		world.post(t, "/charges", chargeOf("poor", "tok_declined"))
		status, body := refund("poor")
		require.Equal(t, http.StatusConflict, status)
		require.Contains(t, body, "/problems/charge-declined")
	})

	t.Run("an unknown reference is 404 and may still be charged", func(t *testing.T) {
		status, body := refund("late")
		require.Equal(t, http.StatusNotFound, status)
		require.Contains(t, body, "/problems/never-charged")
		status, _ = world.post(t, "/charges", chargeOf("late", "tok_visa"))
		require.Equal(t, http.StatusOK, status)
	})

	t.Run("a charge that only failed so far was never made", func(t *testing.T) {
		world.post(t, "/charges", chargeOf("failing", "tok_flaky"))
		status, _ := refund("failing")
		require.Equal(t, http.StatusNotFound, status)
	})

	t.Run("a charge in progress is waited for", func(t *testing.T) {
		var client sync.WaitGroup
		client.Go(func() { world.try(t.Context(), "/charges", chargeOf("racing", "tok_slow")) })
		require.Eventually(t, func() bool {
			status, _ := refund("racing")
			return status == http.StatusOK
		}, 5*time.Second, time.Millisecond)
		client.Wait()
		require.Equal(t, []string{effectCharge, effectRefund}, world.effectsOf(t, "racing"))
	})
}

func TestWhatTheProcessorRefuses(t *testing.T) {
	t.Parallel()
	shop := startWorld(t)
	stranger := shop
	stranger.key = "nobody's"

	for name, test := range map[string]struct {
		world  world
		path   string
		body   any
		status int
	}{
		"an unknown merchant":  {stranger, "/charges", chargeOf("x", "tok_visa"), 401},
		"no reference":         {shop, "/charges", chargeOf("", "tok_visa"), 422},
		"no token":             {shop, "/charges", chargeOf("x", ""), 422},
		"nothing to pay":       {shop, "/charges", ChargeRequest{"x", 0, "USD", "tok_visa"}, 422},
		"no currency":          {shop, "/charges", ChargeRequest{"x", 5, "usd", "tok_visa"}, 422},
		"a field nobody knows": {shop, "/refunds", map[string]string{"refrence": "x"}, 400},
		"no object":            {shop, "/charges", []int{1}, 400},
		"two objects":          {shop, "/charges", json.RawMessage(`{"reference":"x"}{}`), 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, body := test.world.post(t, test.path, test.body)
			require.Equal(t, test.status, status, body)
			require.Contains(t, body, `"type":"/problems/`)
		})
	}
}
