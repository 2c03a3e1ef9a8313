package main

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"banyan/internal/fault"
)

// fails signs in so many times with a wrong password and returns how many were let to try.
func (g *guesses) fails(times int, email string, from func() string) (tried int) {
	for range times {
		if try, err := g.begin(email, from()); err == nil {
			try.end(ErrWrongCredentials)
			tried++
		}
	}
	return tried
}

func at(place string) func() string { return func() string { return place } }

func TestGuessing(t *testing.T) {
	t.Parallel()

	t.Run("from one place is held to ten, however the address is spelled", func(t *testing.T) {
		t.Parallel()
		g := newGuesses()
		require.Equal(t, 6, g.fails(6, "ada@example.org", at("here")))
		require.Equal(t, 4, g.fails(1000, "ADA@example.org", at("here")))
		_, err := g.begin("ada@example.org", "here")
		f := fault.From(err)
		require.Equal(t, fault.Throttled, f.Kind)
		require.Positive(t, f.RetryAfter)
		require.LessOrEqual(t, f.RetryAfter, time.Minute)
		require.Equal(t, 10, g.fails(1000, "grace@example.org", at("here")), "another's address is another matter")
	})
	t.Run("may go on slowly after a while, so that nobody is locked out for ever", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			g := newGuesses()
			g.fails(1000, "ada@example.org", at("here"))
			_, err := g.begin("ada@example.org", "here")
			time.Sleep(fault.From(err).RetryAfter)
			require.Equal(t, 1, g.fails(1000, "ada@example.org", at("here")), "Retry-After is true")
			time.Sleep(24 * time.Hour)
			require.Equal(t, 10, g.fails(1000, "ada@example.org", at("here")))
		})
	})
	t.Run("does not keep out the owner, who comes from somewhere else", func(t *testing.T) {
		t.Parallel()
		g := newGuesses()
		g.fails(1000, "ada@example.org", at("there"))
		try, err := g.begin("ada@example.org", "here")
		require.NoError(t, err)
		try.end(nil)
	})
	t.Run("from ever new places is held, too, but not the owner where she has signed in before", func(t *testing.T) {
		t.Parallel()
		g := newGuesses()
		try, err := g.begin("ada@example.org", "home")
		require.NoError(t, err)
		try.end(nil)
		anew := func() string { return uuid.NewString() }
		require.LessOrEqual(t, g.fails(1000, "ada@example.org", anew), 50)
		_, err = g.begin("ada@example.org", "somewhere")
		require.Equal(t, fault.Throttled, fault.KindOf(err))
		require.Equal(t, 10, g.fails(1000, "ada@example.org", at("home")), "the limit of the place itself holds")
	})
	t.Run("counts while a password is being checked", func(t *testing.T) {
		t.Parallel()
		g := newGuesses()
		for range 10 {
			_, err := g.begin("ada@example.org", "here")
			require.NoError(t, err)
		}
		_, err := g.begin("ada@example.org", "here")
		require.Error(t, err)
	})
	t.Run("is not what signing in rightly is, nor what could not be judged", func(t *testing.T) {
		t.Parallel()
		g := newGuesses()
		for range 200 {
			for _, end := range []error{nil, context.DeadlineExceeded} {
				try, err := g.begin("ada@example.org", "here")
				require.NoError(t, err)
				try.end(end)
			}
		}
		require.Equal(t, 10, g.fails(1000, "ada@example.org", at("here")))
	})
	t.Run("is not forgotten for addresses that are made up, nor is where the owner signs in", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) { // the time stands still
			g := newGuesses()
			try, err := g.begin("ada@example.org", "home")
			require.NoError(t, err)
			try.end(nil)
			places := 0
			anew := func() string { places++; return strconv.Itoa(places) }
			require.Equal(t, 10, g.fails(100, "ada@example.org", at("here")))
			require.Equal(t, 40, g.fails(100, "ada@example.org", anew))
			for n := range 100_000 {
				g.fails(1, strconv.Itoa(n)+"@example.org", anew)
			}
			require.Zero(t, g.fails(100, "ada@example.org", at("here")), "the guesser is still refused")
			require.Zero(t, g.fails(100, "ada@example.org", anew), "from other places, too")
			require.Equal(t, 10, g.fails(100, "ada@example.org", at("home")), "the owner is not")
			require.LessOrEqual(t, len(g.spent), maxAllowances)
			require.Len(t, g.byFull, len(g.spent))
		})
	})
	t.Run("takes no memory for what is refused", func(t *testing.T) {
		t.Parallel()
		g := newGuesses()
		g.fails(1000, "ada@example.org", uuid.NewString)
		require.Len(t, g.spent, 51, "50 places, and all of them together")
		g.fails(1000, "ada@example.org", uuid.NewString)
		require.Len(t, g.spent, 51)
	})
	t.Run("is not paid for by the owner, who comes in all the same", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			g := newGuesses()
			for range 3 {
				try, err := g.begin("ada@example.org", "home")
				require.NoError(t, err)
				try.end(nil)
				g.fails(1000, "ada@example.org", uuid.NewString)
			}
			require.Zero(t, g.fails(1000, "ada@example.org", uuid.NewString))
		})
	})
	t.Run("forgets first what would be full first", func(t *testing.T) {
		t.Parallel()
		g := newGuesses()
		g.most = 8
		g.fails(3, "ada@example.org", at("here"))
		for range 100 {
			g.fails(1, uuid.NewString(), uuid.NewString)
			require.LessOrEqual(t, len(g.spent), 8)
		}
		require.Equal(t, 7, g.fails(100, "ada@example.org", at("here")))
	})
	t.Run("remembers owners by two generations", func(t *testing.T) {
		t.Parallel()
		g := newGuesses()
		g.trusted.most = 8
		for range 100 {
			try, err := g.begin(uuid.NewString(), "here")
			require.NoError(t, err)
			try.end(nil)
			require.True(t, g.trusted.has(try.place))
			require.LessOrEqual(t, len(g.trusted.new)+len(g.trusted.old), 16)
		}
	})
}

func TestGuessingOverHTTP(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.register("ada@example.org")
	wrong := `{"email":"ada@example.org","password":"difference-engine"}`
	for range 10 {
		status, _ := s.ask("POST", "/v1/sessions", "", wrong)
		require.Equal(t, 401, status)
	}
	status, problem := s.ask("POST", "/v1/sessions", "", wrong)
	require.Equal(t, 429, status)
	require.Equal(t, "urn:banyan:problem:too-many-guesses", problem["type"])
	status, _ = s.ask("POST", "/v1/sessions", "", strings.Replace(wrong, "difference", "analytical", 1))
	require.Equal(t, 429, status, "the right password must look like the wrong ones, or guessing would go on")
}
