package notifications

import (
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"banyan/internal/money"
)

func TestMessages(t *testing.T) {
	t.Parallel()
	order := uuid.Must(uuid.NewV7())
	for name, c := range map[string]struct {
		message Message
		kind    string
		says    []string
	}{
		"a welcome greets by name":           {welcome("Ada Lovelace"), "welcome", []string{"Hello Ada Lovelace,"}},
		"a receipt names order and amount":   {receipt(order, money.USD(2598)), "order_paid", []string{order.String(), "USD 25.98"}},
		"a dispatch names the order":         {shipped(order), "order_shipped", []string{order.String(), "left our house"}},
		"a cancellation by the customer":     {cancelled(order, "customer"), "order_cancelled", []string{order.String(), "as you wished"}},
		"a cancellation of what was refused": {cancelled(order, "refused"), "order_cancelled", []string{order.String(), "refused", "You pay nothing"}},
		"a cancellation of what is sold out": {cancelled(order, "sold_out"), "order_cancelled", []string{order.String(), "sold out"}},
		"a cancellation after a declined card": {
			cancelled(order, "declined"), "order_cancelled", []string{order.String(), "declined"},
		},
		"a cancellation for any other reason": {cancelled(order, ""), "order_cancelled", []string{order.String(), "your order is cancelled."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.kind, c.message.Kind)
			require.NotEmpty(t, c.message.Subject)
			for _, s := range c.says {
				require.Contains(t, c.message.Body, s)
			}
			require.NotContains(t, c.message.Body, "%!")
		})
	}
}

func TestContent(t *testing.T) {
	t.Parallel()
	mailer, err := NewMailer("127.0.0.1:25", "Banyan <shop@banyan.example>")
	require.NoError(t, err)
	m := welcome("Ögüt")
	m.To, m.CreatedAt = "ada@example.org", time.Date(2026, 11, 23, 10, 15, 30, 0, time.UTC)

	t.Run("is a mail that any reader understands", func(t *testing.T) {
		t.Parallel()
		m := m
		m.Subject = "Grüße"
		h, body := read(t, mailer, m)
		require.Equal(t, "<"+m.ID.String()+"@banyan.example>", h.Get("Message-ID"))
		require.Equal(t, "Mon, 23 Nov 2026 10:15:30 +0000", h.Get("Date"))
		require.Equal(t, `"Banyan" <shop@banyan.example>`, h.Get("From"))
		require.Equal(t, "<ada@example.org>", h.Get("To"))
		subject, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
		require.NoError(t, err)
		require.Equal(t, "Grüße", subject)
		require.Equal(t, strings.ReplaceAll(m.Body, "\n", "\r\n"), body)
	})
	t.Run("is the same each time", func(t *testing.T) {
		t.Parallel()
		one, err := mailer.content(m)
		require.NoError(t, err)
		other, err := mailer.content(m)
		require.NoError(t, err)
		require.Equal(t, one, other)
	})
	t.Run("has no header that came in with a text", func(t *testing.T) {
		t.Parallel()
		m := m
		m.Subject = "Hello\r\nBcc: eve@example.org\r\n\r\nBuy my books"
		m.Body = "x\r\n.\r\nMAIL FROM:<eve@example.org>\r\n"
		h, body := read(t, mailer, m)
		require.Len(t, h, 9)
		require.Empty(t, h.Get("Bcc"))
		require.Equal(t, m.Body, body)
	})
	t.Run("is refused for what is no address", func(t *testing.T) {
		t.Parallel()
		for _, to := range []string{"", "ada", "ada@example.org\r\nBcc: eve@example.org", "Ada <ada@example.org>", "a@b>\r\nDATA"} {
			m := m
			m.To = to
			_, err := mailer.content(m)
			require.True(t, refusal(err), "%q", to)
		}
	})
}

func read(t *testing.T, mailer *Mailer, m Message) (mail.Header, string) {
	t.Helper()
	content, err := mailer.content(m)
	require.NoError(t, err)
	parsed, err := mail.ReadMessage(strings.NewReader(string(content)))
	require.NoError(t, err)
	require.Equal(t, "quoted-printable", parsed.Header.Get("Content-Transfer-Encoding"))
	body, err := io.ReadAll(quotedprintable.NewReader(parsed.Body))
	require.NoError(t, err)
	return parsed.Header, string(body)
}

func TestNewMailer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ addr, from string }{
		{"mail.example.org", "shop@banyan.example"}, {"127.0.0.1:25", "shop"}, {"127.0.0.1:25", ""}, {"", "shop@banyan.example"},
	} {
		_, err := NewMailer(c.addr, c.from)
		require.Error(t, err, "%v", c)
	}
}
