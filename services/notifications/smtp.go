package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"
)

const (
	dialTime = 5 * time.Second
	sendTime = 10 * time.Second // for one mail, or its connection counts as lost
	stopTime = 2 * time.Second  // for the mail under way when the process stops
)

// idDomain makes Message-IDs of ids.
const idDomain = "banyan.example"

// Mailer hands mail to an SMTP server that takes it from us without a password,
// such as a relay on the same machine.
type Mailer struct {
	addr string
	from mail.Address
}

// NewMailer makes a mailer that sends from an address such as
// "Banyan <shop@banyan.example>" to the server at addr, as host:port. It does
// not connect yet, so the server may start later.
func NewMailer(addr, from string) (*Mailer, error) {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return nil, fmt.Errorf("the mail server's address must be host:port: %w", err)
	}
	sender, err := mail.ParseAddress(from)
	if err != nil {
		return nil, fmt.Errorf("%q is no sender of mail, such as Banyan <shop@banyan.example>: %w", from, err)
	}
	return &Mailer{addr, *sender}, nil
}

// line is one kept connection to the mail server. It connects when it is needed.
type line struct {
	mailer *Mailer
	conn   net.Conn
	client *smtp.Client
}

// connect makes sure that the server is there, with a new connection if the kept
// one has died, as servers let them when they are idle for some minutes.
func (l *line) connect(ctx context.Context) error {
	if l.client != nil {
		_ = l.conn.SetDeadline(time.Now().Add(dialTime))
		if l.client.Noop() == nil {
			return nil
		}
		l.close()
	}
	dialer := net.Dialer{Timeout: dialTime}
	conn, err := dialer.DialContext(ctx, "tcp", l.mailer.addr)
	if err != nil {
		return fmt.Errorf("reach the mail server: %w", err)
	}
	_ = conn.SetDeadline(time.Now().Add(dialTime))
	client, err := smtp.NewClient(conn, l.mailer.addr)
	if err == nil {
		err = client.Hello(idDomain)
	}
	if err != nil {
		conn.Close()
		return fmt.Errorf("greet the mail server at %s: %w", l.mailer.addr, err)
	}
	l.conn, l.client = conn, client
	return nil
}

// send hands over one message on the connected line. An error for which refusal
// holds concerns this message only; after any other the line is of no use.
func (l *line) send(ctx context.Context, m Message) error {
	content, err := l.mailer.content(m)
	if err != nil {
		return err
	}
	_ = l.conn.SetDeadline(time.Now().Add(sendTime))
	hurry := context.AfterFunc(ctx, func() { _ = l.conn.SetDeadline(time.Now().Add(stopTime)) })
	defer hurry()
	if err := l.transfer(m.To, content); err != nil {
		if refusal(err) {
			if reset := l.client.Reset(); reset != nil {
				return reset
			}
		}
		return err
	}
	return nil
}

func (l *line) transfer(to string, content []byte) error {
	if err := l.client.Mail(l.mailer.from.Address); err != nil {
		return fmt.Errorf("name the sender: %w", err)
	}
	if err := l.client.Rcpt(to); err != nil {
		return fmt.Errorf("name the receiver: %w", err)
	}
	w, err := l.client.Data()
	if err != nil {
		return fmt.Errorf("begin the mail: %w", err)
	}
	if _, err := w.Write(content); err != nil {
		return fmt.Errorf("write the mail: %w", err)
	}
	// The server has taken the mail when it answers to its end, and no sooner.
	if err := w.Close(); err != nil {
		return fmt.Errorf("end the mail: %w", err)
	}
	return nil
}

func (l *line) close() {
	if l.client == nil {
		return
	}
	_ = l.conn.SetDeadline(time.Now().Add(time.Second))
	_ = l.client.Quit()
	l.conn.Close()
	l.conn, l.client = nil, nil
}

// errUnsendable is for a message that must not even be offered.
var errUnsendable = errors.New("the receiver is no mail address")

// refusal reports whether the server is there and does not want this message.
// With 421 it says good-bye instead.
func refusal(err error) bool {
	var answer *textproto.Error
	return errors.Is(err, errUnsendable) || errors.As(err, &answer) && answer.Code != 421
}

// content writes the message as RFC 5322 and MIME want it. The same message
// always gives the same bytes, so that a mail sent twice is seen to be one.
func (m *Mailer) content(msg Message) ([]byte, error) {
	// Anything else could break out of the header, or of the SMTP command.
	to, err := mail.ParseAddress(msg.To)
	if err != nil || to.Address != msg.To || strings.ContainsAny(msg.To, "\r\n") {
		return nil, errUnsendable
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "Message-ID: <%s@%s>\r\n", msg.ID, idDomain)
	fmt.Fprintf(&b, "Date: %s\r\n", msg.CreatedAt.UTC().Format(time.RFC1123Z))
	fmt.Fprintf(&b, "From: %s\r\n", m.from.String())
	fmt.Fprintf(&b, "To: %s\r\n", to.String())
	// The encoding leaves no control character as it is.
	fmt.Fprintf(&b, "Subject: %s\r\n", mime.QEncoding.Encode("utf-8", msg.Subject))
	b.WriteString("MIME-Version: 1.0\r\n" +
		"Content-Type: text/plain; charset=utf-8\r\n" +
		"Content-Transfer-Encoding: quoted-printable\r\n" +
		"Auto-Submitted: auto-generated\r\n\r\n")
	w := quotedprintable.NewWriter(&b)
	if _, err := w.Write([]byte(msg.Body)); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
