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
	answers map[string]*answer
	kept    []*answer   // in the order that they came in, which is the order that they go in
	expiry  *time.Timer // of the first of them
	age     uint64      // counts Forget, so that an answer begun before it is not kept
	making  singleflight.Group
}

type answer struct {
	key   string
	body  []byte
	until time.Time
}

// NewMemo keeps up to `most` answers for ttl each. A ttl of zero keeps none.
func NewMemo(ttl time.Duration, most int) *Memo {
	m := &Memo{ttl: ttl, most: most, answers: map[string]*answer{}}
	m.expiry = time.AfterFunc(ttl, m.expire)
	return m
}

// Forget drops every answer, after a change that must be seen at once.
func (m *Memo) Forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.age++
	clear(m.answers)
	m.kept = nil
}

// JSON answers with what is remembered under the key, or with what build makes.
// Errors are not remembered.
func (m *Memo) JSON(c echo.Context, key string, build func(context.Context) (any, error)) error {
	m.mu.RLock()
	a := m.answers[key]
	age := m.age
	m.mu.RUnlock()
	if a != nil && time.Now().Before(a.until) {
		return c.JSONBlob(http.StatusOK, a.body)
	}
	// The first caller may disconnect; the callers that wait still need the answer.
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

// keep remembers an answer, and forgets the oldest one if there are too many.
func (m *Memo) keep(key string, body []byte, age uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ttl == 0 || age != m.age {
		return
	}
	if len(m.kept) == 0 {
		m.expiry.Reset(m.ttl)
	}
	if len(m.kept) == m.most {
		m.drop()
	}
	a := &answer{key, body, time.Now().Add(m.ttl)}
	m.answers[key] = a
	m.kept = append(m.kept, a)
}

// expire forgets what is too old, though nobody asks any more: a page of a hundred
// books is large, and a crowd may have left a thousand of them.
func (m *Memo) expire() {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	for len(m.kept) > 0 && !now.Before(m.kept[0].until) {
		m.drop()
	}
	if len(m.kept) > 0 {
		m.expiry.Reset(m.kept[0].until.Sub(now))
	}
}

// drop forgets the oldest answer. Its key may have a newer one, which stays.
func (m *Memo) drop() {
	oldest := m.kept[0]
	m.kept[0] = nil // the array is the next slice's, too
	m.kept = m.kept[1:]
	if m.answers[oldest.key] == oldest {
		delete(m.answers, oldest.key)
	}
}
