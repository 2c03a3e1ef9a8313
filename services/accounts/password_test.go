package main

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/internal/fault"
)

func TestPassword(t *testing.T) {
	t.Parallel()
	p := newPasswords()

	t.Run("is known again by its hash, and no other is", func(t *testing.T) {
		t.Parallel()
		hash, err := p.hash(t.Context(), "analytical-engine")
		require.NoError(t, err)
		require.Regexp(t, `^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`, hash)
		for password, right := range map[string]bool{
			"analytical-engine": true, "Analytical-engine": false, "analytical-engine ": false, "": false,
		} {
			ok, err := p.verify(t.Context(), password, hash)
			require.NoError(t, err)
			require.Equal(t, right, ok, "%q", password)
		}
	})
	t.Run("has another hash each time", func(t *testing.T) {
		t.Parallel()
		one, err := p.hash(t.Context(), "analytical-engine")
		require.NoError(t, err)
		other, err := p.hash(t.Context(), "analytical-engine")
		require.NoError(t, err)
		require.NotEqual(t, one, other)
	})
	t.Run("hashed at another cost stays good", func(t *testing.T) {
		t.Parallel()
		old := phc{cost: cost{memory: 64, passes: 1, lanes: 2}, salt: []byte("pinch of salt")}
		old.key = old.of("analytical-engine", 24)
		ok, err := p.verify(t.Context(), "analytical-engine", old.String())
		require.NoError(t, err)
		require.True(t, ok)
	})
	t.Run("of an unknown address costs what any other does", func(t *testing.T) {
		t.Parallel()
		nobody, err := parsePHC(noPassword)
		require.NoError(t, err)
		require.Equal(t, today, nobody.cost)
		ok, err := p.verify(t.Context(), "", noPassword)
		require.NoError(t, err)
		require.False(t, ok)
	})
	t.Run("is never compared with a damaged hash", func(t *testing.T) {
		t.Parallel()
		for _, hash := range []string{
			"", "analytical-engine", "$argon2id$v=19$m=64,t=1,p=1$c2FsdA$", "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAA",
			"$argon2id$v=19$m=64,t=0,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAA", "$argon2id$v=19$m=64$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAA",
			"$argon2id$v=19$m=64,t=1,p=1$!$AAAAAAAAAAAAAAAAAAAAAAAA", "$argon2id$v=16$m=64,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAA",
		} {
			_, err := p.verify(t.Context(), "analytical-engine", hash)
			require.Error(t, err, "%q", hash)
		}
	})
}

func TestHashingInTurn(t *testing.T) {
	t.Parallel()

	t.Run("no more hashes are made at once than there are processors", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := &passwords{turns: make(chan struct{}, 2), quiet: time.NewTimer(time.Hour)}
			began := time.Now()
			done := make(chan error)
			for range 6 {
				go func() { done <- p.inTurn(t.Context(), func() { time.Sleep(time.Second) }) }()
			}
			for range 6 {
				require.NoError(t, <-done)
			}
			require.Equal(t, 3*time.Second, time.Since(began))
		})
	})
	t.Run("who waits too long is asked to come back", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := &passwords{turns: make(chan struct{}, 1), quiet: time.NewTimer(time.Hour)}
			p.turns <- struct{}{}
			began := time.Now()
			err := p.inTurn(t.Context(), func() { t.Error("hashed out of turn") })
			require.Equal(t, fault.Unavailable, fault.KindOf(err))
			require.Positive(t, fault.From(err).RetryAfter)
			require.Equal(t, hashPatience, time.Since(began))
		})
	})
	t.Run("the memory goes back when nobody has hashed for a while, and not before", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var back atomic.Int32
			p := &passwords{turns: make(chan struct{}, 1), quiet: time.AfterFunc(hashQuiet, func() { back.Add(1) })}
			for range 3 {
				time.Sleep(hashQuiet - time.Second)
				require.NoError(t, p.inTurn(t.Context(), func() {}))
			}
			time.Sleep(hashQuiet - time.Second)
			require.Zero(t, back.Load())
			time.Sleep(time.Hour)
			require.EqualValues(t, 1, back.Load())
		})
	})
	t.Run("who goes away waits no longer", func(t *testing.T) {
		t.Parallel()
		p := &passwords{turns: make(chan struct{}, 1), quiet: time.NewTimer(time.Hour)}
		p.turns <- struct{}{}
		gone := errors.New("gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(gone)
		require.ErrorIs(t, p.inTurn(ctx, func() { t.Error("hashed for nobody") }), context.Canceled)
	})
}
