package main

import (
	"encoding/base64"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"sync"
	"time"
)

// mailboxSize is how many messages are kept; the oldest go first.
const mailboxSize = 200_000

// Message is a mail as it came in.
type Message struct {
	MessageID  string    `json:"message_id"`
	From       string    `json:"from"`
	To         []string  `json:"to"`
	Subject    string    `json:"subject"`
	Body       string    `json:"body"`
	ReceivedAt time.Time `json:"received_at"`
}

// MailCount counts the messages that are kept, and those that had to make room.
type MailCount struct {
	Messages  int `json:"messages"`
	Distinct  int `json:"distinct"` // by Message-ID
	Forgotten int `json:"forgotten"`
}

// MailQuery says which messages to list. Empty fields match everything; To compares addresses
// without case.
type MailQuery struct {
	To        string
	MessageID string
	Limit     int
}

// Mailbox keeps the newest messages in memory.
type Mailbox struct {
	mu        sync.RWMutex
	size      int
	messages  []Message // a ring once it is full
	oldest    int       // index of the oldest message in the ring
	byID      map[string]int
	forgotten int
}

func newMailbox(size int) *Mailbox {
	return &Mailbox{size: size, byID: map[string]int{}}
}

// Add keeps a message.
func (b *Mailbox) Add(message Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.byID[message.MessageID]++
	if len(b.messages) < b.size {
		b.messages = append(b.messages, message)
		return
	}
	gone := b.messages[b.oldest].MessageID
	if b.byID[gone]--; b.byID[gone] == 0 {
		delete(b.byID, gone)
	}
	b.messages[b.oldest] = message
	b.oldest = (b.oldest + 1) % b.size
	b.forgotten++
}

// Count counts the messages.
func (b *Mailbox) Count() MailCount {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return MailCount{Messages: len(b.messages), Distinct: len(b.byID), Forgotten: b.forgotten}
}

// List returns the messages that match, newest first.
func (b *Mailbox) List(query MailQuery) []Message {
	b.mu.RLock()
	defer b.mu.RUnlock()
	found := []Message{}
	n := len(b.messages)
	for i := n - 1; i >= 0 && len(found) < query.Limit; i-- {
		message := b.messages[(b.oldest+i)%n]
		if query.matches(message) {
			found = append(found, message)
		}
	}
	return found
}

func (q MailQuery) matches(message Message) bool {
	if q.MessageID != "" && trimID(q.MessageID) != message.MessageID {
		return false
	}
	if q.To == "" {
		return true
	}
	for _, to := range message.To {
		if strings.EqualFold(to, q.To) {
			return true
		}
	}
	return false
}

// parseMessage reads a mail. The envelope's sender and recipients stand in for headers that are
// missing, and a mail that can't be parsed is kept whole as a body: a witness refuses nothing.
func parseMessage(from string, to []string, raw string) Message {
	message := Message{From: from, To: to, Body: raw, ReceivedAt: time.Now().UTC()}
	parsed, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		return message
	}
	header := parsed.Header
	message.MessageID = trimID(header.Get("Message-Id"))
	message.Subject = decodeWords(header.Get("Subject"))
	if addresses, err := header.AddressList("From"); err == nil {
		message.From = addresses[0].Address
	}
	if addresses, err := header.AddressList("To"); err == nil {
		message.To = nil
		for _, address := range addresses {
			message.To = append(message.To, address.Address)
		}
	}
	if body, err := io.ReadAll(decodeBody(header, parsed.Body)); err == nil {
		message.Body = string(body)
	}
	return message
}

// trimID takes the angle brackets off a Message-ID, which are punctuation and not part of it.
func trimID(id string) string {
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(id), "<"), ">")
}

func decodeWords(text string) string {
	decoded, err := new(mime.WordDecoder).DecodeHeader(text)
	if err != nil {
		return text
	}
	return decoded
}

func decodeBody(header mail.Header, body io.Reader) io.Reader {
	switch strings.ToLower(header.Get("Content-Transfer-Encoding")) {
	case "quoted-printable":
		return quotedprintable.NewReader(body)
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, body)
	}
	return body
}
