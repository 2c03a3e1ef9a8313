package web_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/internal/web"
)

func TestMemo(t *testing.T) {
	t.Parallel()
	// ask answers one request through the memo and returns what was sent.
	ask := func(m *web.Memo, key string, build func(context.Context) (any, error)) (string, error) {
		w := httptest.NewRecorder()
		c := query("")
		c.Response().Writer = w
		err := m.JSON(c, key, build)
		return w.Body.String(), err
	}
	counting := func(n *atomic.Int64) func(context.Context) (any, error) {
		return func(context.Context) (any, error) { return n.Add(1), nil }
	}

	t.Run("an answer is made once and remembered for a while", func(t *testing.T) {
		t.Parallel()
		var n atomic.Int64
		m := web.NewMemo(50*time.Millisecond, 10)
		for range 3 {
			body, err := ask(m, "a", counting(&n))
			require.NoError(t, err)
			require.Equal(t, "1", body)
		}
		body, err := ask(m, "b", counting(&n))
		require.NoError(t, err)
		require.Equal(t, "2", body)
		time.Sleep(60 * time.Millisecond)
		body, err = ask(m, "a", counting(&n))
		require.NoError(t, err)
		require.Equal(t, "3", body)
	})
	t.Run("those who ask at once wait for one answer", func(t *testing.T) {
		t.Parallel()
		var n atomic.Int64
		m := web.NewMemo(time.Minute, 10)
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				_, _ = ask(m, "a", func(context.Context) (any, error) {
					time.Sleep(50 * time.Millisecond)
					return n.Add(1), nil
				})
			})
		}
		group.Wait()
		require.EqualValues(t, 1, n.Load())
	})
	t.Run("what began before Forget is not kept after it", func(t *testing.T) {
		t.Parallel()
		m := web.NewMemo(time.Minute, 10)
		body, err := ask(m, "a", func(context.Context) (any, error) { m.Forget(); return "old", nil })
		require.NoError(t, err)
		require.Equal(t, `"old"`, body)
		body, err = ask(m, "a", func(context.Context) (any, error) { return "new", nil })
		require.NoError(t, err)
		require.Equal(t, `"new"`, body)
	})
	t.Run("an error is not remembered", func(t *testing.T) {
		t.Parallel()
		m := web.NewMemo(time.Minute, 10)
		_, err := ask(m, "a", func(context.Context) (any, error) { return nil, errors.New("no") })
		require.Error(t, err)
		body, err := ask(m, "a", func(context.Context) (any, error) { return "yes", nil })
		require.NoError(t, err)
		require.Equal(t, `"yes"`, body)
	})
	t.Run("it never holds more than it may", func(t *testing.T) {
		t.Parallel()
		var n atomic.Int64
		m := web.NewMemo(time.Minute, 2)
		for _, key := range []string{"a", "b", "c", "c", "b", "a"} {
			_, err := ask(m, key, counting(&n))
			require.NoError(t, err)
		}
		require.EqualValues(t, 4, n.Load(), "a, the oldest, made room for c, and had to be made again")
	})
}
