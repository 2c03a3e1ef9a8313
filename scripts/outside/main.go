package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"banyan/internal/process"
)

// stopDeadline is how long a stop waits for what is in flight: longer than tok_slow takes.
const stopDeadline = 10 * time.Second

func main() {
	process.Healthcheck(os.Args)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Environ(), os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "outside:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends. The ports are taken before the ledger is opened, so that a second
// process started by mistake stops at the port and never touches the first one's ledger.
func run(ctx context.Context, environ []string, stderr io.Writer) error {
	config, err := parseConfig(environ)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(stderr, nil))

	webListener, err := listen(config.Addr, "ADDR")
	if err != nil {
		return err
	}
	defer webListener.Close()
	mailListener, err := listen(config.SMTPAddr, "SMTP_ADDR")
	if err != nil {
		return err
	}
	defer mailListener.Close()

	ledger, past, err := openLedger(config.LedgerFile)
	if err != nil {
		return err
	}
	defer ledger.Close()
	processor := newProcessor(ledger, past)
	mailbox := newMailbox(mailboxSize)

	stopping := make(chan struct{})
	web := &http.Server{
		Handler:           newHandler(processor, ledger, mailbox, config.Merchants, stopping, log),
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute, // and no ReadTimeout: it would end what tok_timeout holds
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	web.RegisterOnShutdown(func() { close(stopping) })
	mail := newSMTPServer(mailbox, log)

	log.Info("listening", "addr", webListener.Addr().String(),
		"smtp_addr", mailListener.Addr().String(), "ledger_file", config.LedgerFile)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := web.Serve(webListener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve HTTP: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		if err := mail.Serve(mailListener); err != nil && ctx.Err() == nil {
			return fmt.Errorf("serve SMTP: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopDeadline)
		defer cancel()
		err := web.Shutdown(deadline)
		// Senders keep idle connections, so the mail server is closed and not drained: a mail
		// that was cut off before its acknowledgement is sent again, and counted by its id. The
		// listener is closed for itself, in case the server had not got as far as knowing it.
		mail.Close()
		mailListener.Close()
		return err
	})
	err = group.Wait()
	log.Info("stopped")
	return err
}

// listen takes a port, and says what to do when somebody else has it. setting is the variable
// that the address came from.
func listen(addr, setting string) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is taken by another process: stop that one, or set %s to a free address", addr, setting)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s=%s: %w", setting, addr, err)
	}
	return listener, nil
}
