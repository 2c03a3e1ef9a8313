package main

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestDelivery(t *testing.T) {
	t.Parallel()

	t.Run("starts when something is queued, not with the next poll", func(t *testing.T) {
		t.Parallel()
		box := newSink(t, "")
		s := newShop(t, box.addr)
		s.run()
		time.Sleep(100 * time.Millisecond) // it has looked once, and found nothing
		require.NoError(t, s.queue(func(b *pgx.Batch) error { return s.welcome(b, uuid.Must(uuid.NewV7()), "ada@example.org") }))
		require.Eventually(t, func() bool { return box.has("ada@example.org") }, poll*3/4, time.Millisecond)
	})
	t.Run("finds what another process queued", func(t *testing.T) {
		t.Parallel()
		box := newSink(t, "")
		s := newShop(t, box.addr)
		s.run()
		s.again().welcomes(3)
		require.Eventually(t, func() bool { return s.count("sent") == 3 }, 10*time.Second, 10*time.Millisecond)
	})
	t.Run("sends each mail once, however many processes send", func(t *testing.T) {
		t.Parallel()
		box := newSink(t, "")
		s := newShop(t, box.addr)
		s.welcomes(1000)
		s.run()
		s.again().run()
		require.Eventually(t, func() bool { return s.count("sent") == 1000 }, 30*time.Second, 10*time.Millisecond)
		mails, distinct := box.total()
		require.Equal(t, 1000, mails)
		require.Equal(t, 1000, distinct)
		require.LessOrEqual(t, box.sessions, 2*senders, "connections are kept")
	})
	t.Run("waits for a mail server that is away, and loses nothing", func(t *testing.T) {
		t.Parallel()
		box := newSink(t, "")
		s := newShop(t, box.addr)
		require.NoError(t, box.server.Close())
		s.welcomes(40)
		s.run()
		time.Sleep(300 * time.Millisecond)
		require.Equal(t, 40, s.count("queued"))
		box = newSink(t, box.addr)
		require.Eventually(t, func() bool { return s.count("sent") == 40 }, 20*time.Second, 10*time.Millisecond)
		mails, distinct := box.total()
		require.Equal(t, 40, mails)
		require.Equal(t, 40, distinct)
	})
	t.Run("goes on after the mail server was restarted", func(t *testing.T) {
		t.Parallel()
		box := newSink(t, "")
		s := newShop(t, box.addr)
		s.run()
		s.welcomes(1)
		require.Eventually(t, func() bool { return s.count("sent") == 1 }, 10*time.Second, 10*time.Millisecond)
		require.NoError(t, box.server.Close())
		box = newSink(t, box.addr)
		require.NoError(t, s.queue(func(b *pgx.Batch) error { return s.welcome(b, uuid.Must(uuid.NewV7()), "eve@example.org") }))
		require.Eventually(t, func() bool { return box.has("eve@example.org") }, 10*time.Second, 10*time.Millisecond)
	})
	t.Run("repeats a mail under its Message-ID if a process died before it was written down", func(t *testing.T) {
		t.Parallel()
		box := newSink(t, "")
		s := newShop(t, box.addr)
		s.welcomes(1)
		messages, err := claimMessages(t.Context(), s.pool, 10, lease)
		require.NoError(t, err)
		require.Len(t, messages, 1)
		l := &line{mailer: s.mailer}
		require.NoError(t, l.connect(t.Context()))
		require.NoError(t, l.send(t.Context(), messages[0]))
		l.close()

		s.run()
		time.Sleep(100 * time.Millisecond)
		mails, _ := box.total()
		require.Equal(t, 1, mails, "nobody else sends it before the lease ends")
		s.exec(`update notifications set claimed_until = now()`)
		require.Eventually(t, func() bool { return s.count("sent") == 1 }, 10*time.Second, 10*time.Millisecond)
		mails, distinct := box.total()
		require.Equal(t, 2, mails)
		require.Equal(t, 1, distinct)
	})
	t.Run("puts a refused mail off and sends the others", func(t *testing.T) {
		t.Parallel()
		box := newSink(t, "")
		box.refuses = "reader1@example.org"
		s := newShop(t, box.addr)
		s.welcomes(6)
		s.exec(`update notifications set to_address = 'no address' where to_address = 'reader2@example.org'`)
		s.run()
		require.Eventually(t, func() bool { return s.count("sent") == 4 }, 10*time.Second, 10*time.Millisecond)
		require.True(t, box.has("reader0@example.org"))
		require.Eventually(t, func() bool {
			var n int
			err := s.pool.QueryRow(t.Context(), `
				select count(*)
				from notifications
				where status = 'queued' and claimed_until > now() + interval '4 minutes'`).Scan(&n)
			return err == nil && n == 2
		}, 10*time.Second, 10*time.Millisecond)
	})
	t.Run("stops after the mail under way and leaves the rest to whoever comes next", func(t *testing.T) {
		t.Parallel()
		box := newSink(t, "")
		box.perMail = 50 * time.Millisecond
		s := newShop(t, box.addr)
		s.welcomes(200)
		stop := s.run()
		require.Eventually(t, func() bool { mails, _ := box.total(); return mails >= 5 }, 10*time.Second, time.Millisecond)
		stop()
		mails, distinct := box.total()
		require.Equal(t, mails, distinct)
		require.Less(t, mails, 200)
		require.Equal(t, mails, s.count("sent"), "what is out is written down")
		messages, err := claimMessages(t.Context(), s.pool, 200, lease)
		require.NoError(t, err)
		require.Len(t, messages, 200-mails, "the rest can be taken at once")
	})
}
