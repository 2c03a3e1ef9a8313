package main

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"strconv"
)

const (
	mailLimit    = 50
	mailLimitMax = 100_000
)

//go:embed page.html
var pageText string

// pages escape everything they show: a mail's text is whatever its sender wrote.
var pages = template.Must(template.New("pages").Parse(pageText))

func (h *handler) showIndex(w http.ResponseWriter, _ *http.Request) error {
	return render(w, "index", h.mailbox.Count())
}

func (h *handler) showMail(w http.ResponseWriter, r *http.Request) error {
	query, err := mailQuery(r)
	if err != nil {
		return err
	}
	return render(w, "mail", map[string]any{
		"Query":    query,
		"Count":    h.mailbox.Count(),
		"Messages": h.mailbox.List(query),
	})
}

func (h *handler) listMail(w http.ResponseWriter, r *http.Request) error {
	query, err := mailQuery(r)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, h.mailbox.List(query))
}

func (h *handler) countMail(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, h.mailbox.Count())
}

func mailQuery(r *http.Request) (MailQuery, error) {
	values := r.URL.Query()
	query := MailQuery{To: values.Get("to"), MessageID: values.Get("message_id"), Limit: mailLimit}
	if text := values.Get("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 || limit > mailLimitMax {
			return MailQuery{}, problem{http.StatusBadRequest, "malformed",
				"limit must be a number from 1 to " + strconv.Itoa(mailLimitMax) + "."}
		}
		query.Limit = limit
	}
	return query, nil
}

func render(w http.ResponseWriter, name string, data any) error {
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, data); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
	_, err := page.WriteTo(w)
	return err
}
