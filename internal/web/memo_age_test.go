package web

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
)

// What has expired is let go when its time has come, and no sooner, though nobody
// asks any more.
func TestMemoAges(t *testing.T) {
	t.Parallel()
	// ask reports whether the answer had to be made.
	ask := func(t *testing.T, m *Memo, key string) (made bool) {
		t.Helper()
		c := echo.New().NewContext(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), httptest.NewRecorder())
		require.NoError(t, m.JSON(c, key, func(context.Context) (any, error) {
			made = true
			return key, nil
		}))
		return made
	}
	holds := func(m *Memo) int {
		synctest.Wait()
		m.mu.Lock()
		defer m.mu.Unlock()
		require.LessOrEqual(t, len(m.answers), len(m.kept))
		return len(m.kept)
	}

	t.Run("one by one", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			m := NewMemo(time.Second, 5000)
			for i := range 1000 {
				require.True(t, ask(t, m, fmt.Sprint(i)))
				time.Sleep(time.Millisecond)
			}
			require.Equal(t, 999, holds(m))
			time.Sleep(500 * time.Millisecond)
			require.Equal(t, 499, holds(m))
			require.False(t, ask(t, m, "999"))
			require.True(t, ask(t, m, "0"))
			time.Sleep(499 * time.Millisecond)
			require.Equal(t, 1, holds(m), "only what was made again")
			time.Sleep(time.Second)
			require.Zero(t, holds(m))
		})
	})
	t.Run("and Forget and a full house leave the rest its time", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			m := NewMemo(time.Second, 3)
			ask(t, m, "a")
			m.Forget()
			time.Sleep(600 * time.Millisecond)
			for _, key := range []string{"b", "c", "d", "e"} {
				require.True(t, ask(t, m, key))
			}
			require.Equal(t, 3, holds(m))
			time.Sleep(900 * time.Millisecond)
			require.False(t, ask(t, m, "c"), "the end of a, which is forgotten, is not the end of c")
			require.True(t, ask(t, m, "b"), "the oldest made room")
			time.Sleep(time.Second)
			require.Zero(t, holds(m))
		})
	})
}
