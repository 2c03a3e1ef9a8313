package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// holding is how long tok_timeout keeps a client waiting for an answer that does not come.
const holding = 30 * time.Second

// handler serves the card processor and shows the ledger and the mail.
type handler struct {
	processor *Processor
	ledger    *Ledger
	mailbox   *Mailbox
	merchants merchants
	stopping  <-chan struct{} // closed at shutdown, so that a held connection does not delay it
	log       *slog.Logger
}

func newHandler(processor *Processor, ledger *Ledger, mailbox *Mailbox, known merchants, stopping <-chan struct{}, log *slog.Logger) http.Handler {
	h := &handler{processor, ledger, mailbox, known, stopping, log}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /charges", h.answer(h.charge))
	mux.HandleFunc("POST /refunds", h.answer(h.refund))
	mux.HandleFunc("GET /ledger", h.answer(h.showLedger))
	mux.HandleFunc("GET /mail.json", h.answer(h.listMail))
	mux.HandleFunc("GET /mail/count", h.answer(h.countMail))
	mux.HandleFunc("GET /mail", h.answer(h.showMail))
	mux.HandleFunc("GET /{$}", h.answer(h.showIndex))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	return mux
}

func (h *handler) charge(w http.ResponseWriter, r *http.Request) error {
	merchant, err := h.merchant(r)
	if err != nil {
		return err
	}
	var request ChargeRequest
	if err := decode(w, r, &request); err != nil {
		return err
	}
	if err := request.validate(); err != nil {
		return err
	}
	charge, first, err := h.processor.Charge(r.Context(), merchant, request)
	if err != nil {
		return err
	}
	if first && request.Token == tokenTimeout {
		h.hold(r)
	}
	if first && request.Token == tokenUnsure {
		return errUnsure
	}
	return writeJSON(w, http.StatusOK, charge)
}

// hold keeps the connection, and cuts it without an answer.
func (h *handler) hold(r *http.Request) {
	timer := time.NewTimer(holding)
	defer timer.Stop()
	select {
	case <-r.Context().Done():
	case <-timer.C:
	case <-h.stopping:
	}
	panic(http.ErrAbortHandler)
}

func (h *handler) refund(w http.ResponseWriter, r *http.Request) error {
	merchant, err := h.merchant(r)
	if err != nil {
		return err
	}
	var request struct {
		Reference string `json:"reference"`
	}
	if err := decode(w, r, &request); err != nil {
		return err
	}
	refund, err := h.processor.Refund(r.Context(), merchant, request.Reference)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, refund)
}

func (h *handler) showLedger(w http.ResponseWriter, r *http.Request) error {
	merchant := r.URL.Query().Get("merchant")
	if merchant != "" && !h.merchants.named(merchant) {
		return problem{http.StatusNotFound, "unknown-merchant",
			fmt.Sprintf("There is no merchant %q. Leave merchant out to see the whole ledger.", merchant)}
	}
	w.Header().Set("Content-Type", "application/jsonl")
	return h.ledger.CopyTo(w, merchant)
}

func (h *handler) merchant(r *http.Request) (string, error) {
	key, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	name := h.merchants[key]
	if !found || name == "" {
		return "", problem{http.StatusUnauthorized, "unknown-merchant",
			"Send a merchant's key, as in Authorization: Bearer <key>."}
	}
	return name, nil
}

func (r ChargeRequest) validate() error {
	switch {
	case r.Reference == "" || len(r.Reference) > 255:
		return invalid("reference must be 1 to 255 bytes.")
	case r.Amount <= 0:
		return invalid("amount must be a positive number of cents.")
	case len(r.Currency) != 3 || strings.ToUpper(r.Currency) != r.Currency:
		return invalid("currency must be three capital letters, as in USD.")
	case r.Token == "":
		return invalid("token must name a card.")
	}
	return nil
}

func invalid(detail string) problem {
	return problem{http.StatusUnprocessableEntity, "invalid", detail}
}

// problem is an answer that is not what the client hoped for, sent as RFC 9457 problem+json.
type problem struct {
	status int
	code   string
	detail string
}

func (p problem) Error() string { return p.code + ": " + p.detail }

// answer turns the error of a handler into a response: a problem as it is; nothing at all when
// the client has left; and for the rest a 500, whose text goes to the log and nowhere else.
func (h *handler) answer(handle func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := handle(w, r)
		if err == nil || errors.Is(err, context.Canceled) {
			return
		}
		var p problem
		if !errors.As(err, &p) {
			h.log.Error("request failed", "method", r.Method, "path", r.URL.Path, "error", err.Error())
			p = problem{http.StatusInternalServerError, "internal", "Something went wrong here. Send it again."}
		}
		if p.status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", "Bearer")
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(p.status)
		json.NewEncoder(w).Encode(map[string]any{
			"type":   "/problems/" + p.code,
			"title":  http.StatusText(p.status),
			"status": p.status,
			"detail": p.detail,
		})
	}
}

// decode reads one JSON object of at most 16 KiB and nothing after it.
func decode(w http.ResponseWriter, r *http.Request, into any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 16<<10))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil && decoder.Decode(&struct{}{}) != io.EOF {
		err = errors.New("something follows the object")
	}
	if err != nil {
		return problem{http.StatusBadRequest, "malformed", "The body can't be read: " + err.Error() + "."}
	}
	return nil
}

func writeJSON(w http.ResponseWriter, status int, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err = w.Write(append(body, '\n'))
	return err
}
