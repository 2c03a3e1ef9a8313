package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/sync/singleflight"
)

// Memo remembers encoded answers for a short time. On a database-backed list
// that is worth a factor of three; while an answer is being made, those who ask
// for the same wait for it instead of asking the database too.
type Memo struct {
	ttl  time.Duration
	most int

	mu      sync.RWMutex
	answers map[string]answer
	age     uint64 // counts Forget, so that an answer begun before it is not kept
	making  singleflight.Group
}

type answer struct {
	body  []byte
	until time.Time
}

// NewMemo keeps up to `most` answers for ttl each. A ttl of zero keeps none.
func NewMemo(ttl time.Duration, most int) *Memo {
	return &Memo{ttl: ttl, most: most, answers: map[string]answer{}}
}

// Forget drops every answer, after a change that must be seen at once.
func (m *Memo) Forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.age++
	clear(m.answers)
}

// JSON answers with what is remembered under the key, or with what build makes.
// Errors are not remembered.
func (m *Memo) JSON(c echo.Context, key string, build func(context.Context) (any, error)) error {
	m.mu.RLock()
	a, ok := m.answers[key]
	age := m.age
	m.mu.RUnlock()
	if ok && time.Now().Before(a.until) {
		return c.JSONBlob(http.StatusOK, a.body)
	}
	// Whoever asked first may go away; the others still want the answer.
	ctx := context.WithoutCancel(c.Request().Context())
	// What is asked after Forget must not join what was begun before it.
	body, err, _ := m.making.Do(strconv.FormatUint(age, 36)+" "+key, func() (any, error) {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		v, err := build(ctx)
		if err != nil {
			return nil, err
		}
		body, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		m.keep(key, body, age)
		return body, nil
	})
	if err != nil {
		return err
	}
	return c.JSONBlob(http.StatusOK, body.([]byte))
}

func (m *Memo) keep(key string, body []byte, age uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ttl == 0 || age != m.age {
		return
	}
	if len(m.answers) >= m.most {
		clear(m.answers) // they live a moment anyway; a list of ages would cost more than it saves
	}
	m.answers[key] = answer{body, time.Now().Add(m.ttl)}
}
