package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/smtp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMail(t *testing.T) {
	t.Parallel()
	world := startWorld(t)
	for i := range 5 {
		world.mail(t, fmt.Sprintf("reader%d@banyan.example", i%2), fmt.Sprintf("id-%d@banyan.example", i), "Order", "Thank you.")
	}
	world.mail(t, "reader1@banyan.example", "id-4@banyan.example", "Order", "Thank you.")

	for name, test := range map[string]struct {
		query string
		want  []string
	}{
		"everything, newest first":               {"", []string{"4", "4", "3", "2", "1", "0"}},
		"by recipient, without case":             {"?to=Reader1@Banyan.Example", []string{"4", "3", "1"}},
		"by Message-ID":                          {"?message_id=id-2@banyan.example", []string{"2"}},
		"by Message-ID in brackets":              {"?message_id=%3Cid-2@banyan.example%3E", []string{"2"}},
		"by both, which do not match each other": {"?to=reader1@banyan.example&message_id=id-2@banyan.example", nil},
		"no more than asked":                     {"?limit=2", []string{"4", "4"}},
	} {
		t.Run("the list shows "+name, func(t *testing.T) {
			t.Parallel()
			status, body := world.get(t, "/mail.json"+test.query)
			require.Equal(t, http.StatusOK, status)
			var messages []Message
			require.NoError(t, json.Unmarshal([]byte(body), &messages))
			var ids []string
			for _, message := range messages {
				ids = append(ids, strings.TrimSuffix(strings.TrimPrefix(message.MessageID, "id-"), "@banyan.example"))
			}
			require.Equal(t, test.want, ids)
		})
	}

	t.Run("a limit that is none is refused", func(t *testing.T) {
		t.Parallel()
		for _, limit := range []string{"0", "-1", "100001", "many"} {
			status, _ := world.get(t, "/mail.json?limit="+limit)
			require.Equal(t, http.StatusBadRequest, status)
		}
	})

	t.Run("the count tells what came twice", func(t *testing.T) {
		t.Parallel()
		_, body := world.get(t, "/mail/count")
		require.JSONEq(t, `{"messages":6,"distinct":5,"forgotten":0}`, body)
	})
}

func TestMailPage(t *testing.T) {
	t.Parallel()
	world := startWorld(t)
	const attack = `<script>alert("here")</script>`
	world.mail(t, "reader1@banyan.example", "one@banyan.example", attack, attack)

	for _, path := range []string{"/mail", "/mail?to=reader1@banyan.example"} {
		status, page := world.get(t, path)
		require.Equal(t, http.StatusOK, status)
		require.NotContains(t, page, "<script")
		require.Equal(t, 2, strings.Count(page, "&lt;script&gt;"), "subject and body are shown, as text")
	}
	_, page := world.get(t, `/mail?to=%22%3E%3Cscript%3E`)
	require.NotContains(t, page, "<script")
	require.Contains(t, page, "Nothing here yet")

	_, index := world.get(t, "/")
	require.Contains(t, index, `href="/mail"`)
	require.Contains(t, index, `href="/ledger"`)
	status, _ := world.get(t, "/livez")
	require.Equal(t, http.StatusOK, status)
}

func TestMailboxForgetsTheOldest(t *testing.T) {
	t.Parallel()
	box := newMailbox(3)
	for _, id := range []string{"a", "b", "b", "c", "d"} {
		box.Add(Message{MessageID: id})
	}
	require.Equal(t, MailCount{Messages: 3, Distinct: 3, Forgotten: 2}, box.Count())
	var ids []string
	for _, message := range box.List(MailQuery{Limit: 10}) {
		ids = append(ids, message.MessageID)
	}
	require.Equal(t, []string{"d", "c", "b"}, ids)
}

func TestParseMessage(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		raw  string
		want Message
	}{
		"headers and encoded text are read": {
			"From: Banyan <shop@banyan.example>\r\nTo: A <a@x.example>, b@x.example\r\nMessage-ID: <m@x>\r\n" +
				"Subject: =?utf-8?q?Your_order_=E2=9C=93?=\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nCaf=C3=A9",
			Message{MessageID: "m@x", From: "shop@banyan.example", To: []string{"a@x.example", "b@x.example"},
				Subject: "Your order ✓", Body: "Café"},
		},
		"base64 bodies are read": {
			"Content-Transfer-Encoding: base64\r\n\r\nQ2Fm\r\nw6k=\r\n",
			Message{From: "envelope@x", To: []string{"to@x"}, Body: "Café"},
		},
		"what is no mail is kept whole": {
			"not a header",
			Message{From: "envelope@x", To: []string{"to@x"}, Body: "not a header"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := parseMessage("envelope@x", []string{"to@x"}, test.raw)
			require.False(t, got.ReceivedAt.IsZero())
			test.want.ReceivedAt = got.ReceivedAt
			require.Equal(t, test.want, got)
		})
	}
}

// mail sends a mail over SMTP.
func (w world) mail(t *testing.T, to, id, subject, body string) {
	t.Helper()
	text := fmt.Sprintf("From: shop@banyan.example\r\nTo: %s\r\nMessage-ID: <%s>\r\nSubject: %s\r\n\r\n%s\r\n", to, id, subject, body)
	require.NoError(t, smtp.SendMail(w.smtpAddr, nil, "shop@banyan.example", []string{to}, []byte(text)))
}
