package main

import (
	"io"
	"log/slog"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
)

// sink is a mail server that keeps what it gets.
type sink struct {
	addr   string
	server *smtp.Server

	mu       sync.Mutex
	got      map[string]int // deliveries by Message-ID
	to       map[string]int // deliveries by receiver
	refuses  string         // a receiver that this server does not know
	perMail  time.Duration  // how long it takes to take one
	sessions int
}

// newSink starts a mail server at addr; an empty one is any free address.
func newSink(t *testing.T, addr string) *sink {
	t.Helper()
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", addr)
	require.NoError(t, err)
	s := &sink{addr: l.Addr().String(), got: map[string]int{}, to: map[string]int{}}
	s.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.sessions++
		return &session{sink: s}, nil
	}))
	s.server.EnableSMTPUTF8 = true
	s.server.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	served := make(chan struct{})
	go func() {
		_ = s.server.Serve(l)
		close(served)
	}()
	t.Cleanup(func() {
		_ = s.server.Close()
		<-served
	})
	return s
}

// total is how many mails arrived, and how many different ones.
func (s *sink) total() (mails, distinct int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.got {
		mails += n
	}
	return mails, len(s.got)
}

func (s *sink) has(to string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.to[to] > 0
}

type session struct {
	sink *sink
	open bool // a mail has begun, and not ended
	to   string
}

// Mail refuses a second mail inside the first, as RFC 5321 wants it.
func (s *session) Mail(string, *smtp.MailOptions) error {
	if s.open {
		return &smtp.SMTPError{Code: 503, EnhancedCode: smtp.EnhancedCode{5, 5, 1}, Message: "Nested MAIL"}
	}
	s.open = true
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if to == s.sink.refuses {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such person here"}
	}
	s.to = to
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m, err := mail.ReadMessage(strings.NewReader(string(raw)))
	if err != nil {
		return err
	}
	time.Sleep(s.sink.perMail)
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	s.sink.got[m.Header.Get("Message-ID")]++
	s.sink.to[s.to]++
	return nil
}

func (s *session) Reset() { s.open, s.to = false, "" }

func (s *session) Logout() error { return nil }
