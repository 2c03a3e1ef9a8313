package accounts

import (
	"encoding/binary"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"banyan/internal/token"
)

func TestCache(t *testing.T) {
	t.Parallel()
	ada := token.Identity{Subject: uuid.Must(uuid.NewV7()), Role: "customer"}
	hash := hashToken("a token")
	known := func(c *cache, hash tokenHash) bool {
		id, ok := c.get(hash)
		return ok && id == ada
	}
	inAMonth := func() time.Time { return time.Now().Add(sessionAge) }

	t.Run("a session is remembered for a while", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c := newCache(10 * time.Second)
			require.False(t, known(c, hash))
			c.put(hash, ada, inAMonth())
			time.Sleep(10*time.Second - time.Nanosecond)
			require.True(t, known(c, hash))
			time.Sleep(time.Nanosecond)
			require.False(t, known(c, hash))
		})
	})
	t.Run("a session is not remembered beyond its end", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c := newCache(10 * time.Second)
			c.put(hash, ada, time.Now().Add(time.Second))
			require.True(t, known(c, hash))
			time.Sleep(time.Second)
			require.False(t, known(c, hash))
		})
	})
	t.Run("a lookup that ends after the logout does not bring the session back", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c := newCache(30 * time.Second)
			c.drop(hashToken("another token"))
			time.Sleep(tombstoneAge) // so that the next logouts move the tombstones of this one aside
			c.put(hash, ada, inAMonth())
			c.drop(hash)
			for range 10 {
				c.put(hash, ada, inAMonth())
				require.False(t, known(c, hash))
				time.Sleep(tombstoneAge / 10)
				c.drop(hashToken("another token"))
			}
		})
	})
	t.Run("tombstones do not pile up", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			c := newCache(30 * time.Second)
			for i := range 100 {
				c.drop(numbered(i))
				time.Sleep(tombstoneAge)
			}
			require.Less(t, len(c.gone)+len(c.goneBefore), 5)
		})
	})
	t.Run("remembering nothing is possible", func(t *testing.T) {
		t.Parallel()
		c := newCache(0)
		c.put(hash, ada, inAMonth())
		require.False(t, known(c, hash))
	})
	t.Run("a crowd of sessions takes bounded memory", func(t *testing.T) {
		t.Parallel()
		c := newCache(time.Hour)
		for i := range 3 * maxRemembered {
			c.put(numbered(i), ada, inAMonth())
		}
		require.LessOrEqual(t, len(c.new)+len(c.old), 2*maxRemembered)
		require.True(t, known(c, numbered(3*maxRemembered-1)))
		require.True(t, known(c, numbered(2*maxRemembered)))
		require.False(t, known(c, numbered(0)))
	})
}

func numbered(i int) (hash tokenHash) {
	binary.LittleEndian.PutUint64(hash[:], uint64(i))
	return hash
}
