package token

import (
	"crypto/sha256"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSeen(t *testing.T) {
	t.Parallel()
	hash := func(n byte) [sha256.Size]byte { return sha256.Sum256([]byte{n}) }

	t.Run("remembers until the token expires", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := newSeen[string](2)
			s.put(hash(1), "alice", time.Now().Add(time.Minute))
			time.Sleep(time.Minute - time.Nanosecond)
			got, ok := s.get(hash(1))
			require.True(t, ok)
			require.Equal(t, "alice", got)
			time.Sleep(time.Nanosecond)
			_, ok = s.get(hash(1))
			require.False(t, ok)
		})
	})
	t.Run("never holds more than two generations, and keeps the newest", func(t *testing.T) {
		t.Parallel()
		s := newSeen[byte](4)
		for n := range byte(100) {
			s.put(hash(n), n, time.Now().Add(time.Minute))
			require.LessOrEqual(t, len(s.new)+len(s.old), 8)
		}
		got, ok := s.get(hash(99))
		require.True(t, ok)
		require.EqualValues(t, 99, got)
		_, ok = s.get(hash(0))
		require.False(t, ok)
	})
}

func TestCallerSignsAnewBeforeTheTokenExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		keys, err := ParseSigningKeys("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
		require.NoError(t, err)
		c := NewCaller("front", keys[0])
		first, err := c.Token("vault")
		require.NoError(t, err)
		time.Sleep(callerReuse)
		second, err := c.Token("vault")
		require.NoError(t, err)
		require.NotEqual(t, first, second)
	})
}
