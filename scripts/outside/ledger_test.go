package main

import (
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRestart(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/ledger.jsonl"
	first := startWorldWith(t, file)
	first.post(t, "/charges", chargeOf("kept", "tok_visa"))
	first.post(t, "/charges", chargeOf("poor", "tok_declined"))
	first.post(t, "/charges", chargeOf("returned", "tok_visa"))
	first.post(t, "/refunds", map[string]string{"reference": "returned"})
	first.stop(t)

	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, append(whole, `{"at":"2026-`...), 0o600), "a line torn by a kill")

	second := startWorldWith(t, file)
	for reference, want := range map[string]string{"kept": statusApproved, "returned": statusApproved, "poor": statusDeclined} {
		_, body := second.post(t, "/charges", chargeOf(reference, "tok_visa"))
		require.Contains(t, body, want)
	}
	status, _ := second.post(t, "/charges", ChargeRequest{"kept", 1, "USD", "tok_visa"})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	status, _ = second.post(t, "/refunds", map[string]string{"reference": "returned"})
	require.Equal(t, http.StatusOK, status)

	after, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(whole), string(after), "nothing happened twice, and the torn line has gone")
}

func TestLedgerThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	ledger, _, err := openLedger(t.TempDir() + "/ledger.jsonl")
	require.NoError(t, err)
	processor := newProcessor(ledger, nil)
	writable := ledger.file
	ledger.file, err = os.Open(writable.Name())
	require.NoError(t, err)

	request := chargeOf("unwritten", "tok_visa")
	_, _, err = processor.Charge(t.Context(), "monolith", request)
	require.Error(t, err, "a charge that can't be written down is not made")

	ledger.file = writable
	charge, first, err := processor.Charge(t.Context(), "monolith", request)
	require.NoError(t, err)
	require.True(t, first, "so it can be made later")
	require.Equal(t, statusApproved, charge.Status)
}

func TestDamagedLedger(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/ledger.jsonl"
	require.NoError(t, os.WriteFile(file, []byte("{}\nnonsense\n"), 0o600))
	_, _, err := openLedger(file)
	require.ErrorContains(t, err, "line 2 is not an entry")
}
