package main

import (
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
)

// newSMTPServer makes a server that accepts mail from and to anybody and puts it in the mailbox.
// A mail is in the mailbox before its sender is told that it was accepted.
func newSMTPServer(mailbox *Mailbox, log *slog.Logger) *smtp.Server {
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &smtpSession{mailbox: mailbox}, nil
	}))
	server.Domain = "outside.banyan.example"
	server.EnableSMTPUTF8 = true
	server.MaxMessageBytes = 1 << 20
	server.MaxRecipients = 100
	server.ReadTimeout = 5 * time.Minute
	server.WriteTimeout = 10 * time.Second
	server.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelWarn)
	return server
}

// smtpSession is one connection, which may bring many mails, one after the other.
type smtpSession struct {
	mailbox *Mailbox
	from    string
	to      []string
}

func (s *smtpSession) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

func (s *smtpSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

func (s *smtpSession) Data(r io.Reader) error {
	var raw strings.Builder
	if _, err := io.Copy(&raw, r); err != nil {
		return err
	}
	s.mailbox.Add(parseMessage(s.from, s.to, raw.String()))
	return nil
}

func (s *smtpSession) Reset() { s.from, s.to = "", nil }

func (s *smtpSession) Logout() error { return nil }
