package inventory

import (
	"encoding/json"
	"log/slog"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"banyan/docs/api"
	"banyan/internal/testdb"
	"banyan/internal/web"
	"banyan/migrations"
	"banyan/scripts/lab/ladder"
)

// farShop is the module once catalog is far, and has to be told.
type farShop struct {
	shop
	woken *int // how often the relay was
}

func newFarShop(t *testing.T) farShop {
	t.Helper()
	db := testdb.New(t, migrations.FS)
	require.NoError(t, ladder.Climb(t.Context(), db.SuperuserURL(), 4, func(string) {}))
	pool, woken := db.Pool("monolith_app"), 0
	s := New(pool, func() { woken++ })
	e := web.New(web.Options{Log: slog.New(slog.DiscardHandler)})
	Register(e.Group(""), s, web.SignedIn(known))
	return farShop{shop{s, t, pool, e}, &woken}
}

// bookWith is a book that catalog has told of, with so many copies.
func (s farShop) bookWith(copies int) uuid.UUID {
	s.t.Helper()
	id := uuid.Must(uuid.NewV7())
	_, err := s.pool.Exec(s.t.Context(), `insert into books (id, title, price, version) values ($1, 'Emma', 999, 1)`, id)
	require.NoError(s.t, err)
	s.delivers(id, copies)
	return id
}

// stockData and bookData are what others read.
type stockData struct {
	Books []bookData `json:"books"`
}

type bookData struct {
	BookID    uuid.UUID `json:"book_id"`
	Available int       `json:"available"`
	Version   int       `json:"version"`
}

// lastTold is the data of the newest event.
func (s farShop) lastTold() (data json.RawMessage) {
	s.t.Helper()
	require.NoError(s.t, s.pool.QueryRow(s.t.Context(),
		`select data from outbox where type = $1 order by position desc limit 1`, stockChanged).Scan(&data))
	return data
}

// told is what the newest event says.
func (s farShop) told() []bookData {
	s.t.Helper()
	var data stockData
	require.NoError(s.t, json.Unmarshal(s.lastTold(), &data))
	return data.Books
}

func (s farShop) events() int { s.t.Helper(); return s.count(`select count(*) from outbox`) }

func TestTelling(t *testing.T) {
	t.Parallel()

	t.Run("one event holds all books that changed", func(t *testing.T) {
		t.Parallel()
		s := newFarShop(t)
		one, other := s.bookWith(10), s.bookWith(10)
		require.Equal(t, []bookData{{other, 10, 2}}, s.told(), "1 is what a book begins with")
		o := newOrder(map[uuid.UUID]int{one: 1, other: 2})
		require.NoError(t, s.takes(o))
		require.Equal(t, []bookData{{one, 9, 3}, {other, 8, 3}}, s.told())
		s.givesBack(o)
		require.Equal(t, []bookData{{one, 10, 4}, {other, 10, 4}}, s.told())
		require.Equal(t, 4, s.events())
		require.Equal(t, 2, *s.woken, "by the deliveries; orders wakes it for the others")
	})
	t.Run("it is as its example, wherever it is made", func(t *testing.T) {
		t.Parallel()
		s := newFarShop(t)
		bookID := s.bookWith(10)
		o := newOrder(map[uuid.UUID]int{bookID: 1})
		want := shape(t, api.Event(stockChanged))
		require.Equal(t, want, shape(t, s.lastTold()), "made by a delivery")
		require.NoError(t, s.takes(o))
		require.Equal(t, want, shape(t, s.lastTold()), "made by a checkout")
		s.givesBack(o)
		require.Equal(t, want, shape(t, s.lastTold()), "made by a cancellation")
	})
	t.Run("of a full shelf it tells what the contract can count", func(t *testing.T) {
		t.Parallel()
		s := newFarShop(t)
		bookID := s.bookWith(3)
		o := newOrder(map[uuid.UUID]int{bookID: 3})
		require.NoError(t, s.takes(o))
		s.fill(bookID, maxAvailable)
		s.givesBack(o)
		require.Equal(t, []bookData{{bookID, maxAvailable, 4}}, s.told())
		require.Equal(t, maxAvailable+3, s.count(`select stock from books where id = $1`, bookID), "the copies come back all the same")
	})
	t.Run("what changes nothing is not told", func(t *testing.T) {
		t.Parallel()
		s := newFarShop(t)
		bookID := s.bookWith(1)
		before := s.events()
		require.True(t, s.soldOut(s.takes(newOrder(map[uuid.UUID]int{bookID: 2}))))
		require.Equal(t, 422, s.ask("POST", deliveries(bookID), "staff", "k", `{"quantity":0}`).Code)
		require.Equal(t, 404, s.ask("POST", deliveries(uuid.New()), "staff", "k", `{"quantity":1}`).Code)
		for range 2 {
			require.Equal(t, 200, s.ask("POST", deliveries(bookID), "staff", "once", `{"quantity":1}`).Code)
		}
		require.Equal(t, before+1, s.events())
		require.Equal(t, []bookData{{bookID, 2, 3}}, s.told())
	})
	t.Run("of many at once, each version is told once", func(t *testing.T) {
		t.Parallel()
		s := newFarShop(t)
		one, other := s.bookWith(100), s.bookWith(100)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				o := newOrder(map[uuid.UUID]int{one: 1, other: 1})
				if err := s.takes(o); err != nil {
					t.Errorf("take: %v", err)
				}
				s.delivers(one, 1)
			})
		}
		wg.Wait()
		require.Zero(t, s.count(`
			select count(*) from (
				select from outbox, json_array_elements(data -> 'books') b
				group by b ->> 'book_id', b ->> 'version' having count(*) > 1) twice`))
		require.Equal(t, 42, s.count(`select stock_version from books where id = $1`, one))
		require.Equal(t, 22, s.count(`select stock_version from books where id = $1`, other))
	})
}

// shape is what a JSON text is made of: its keys, and the types of their values.
// The first of a list stands for the others.
func shape(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal(text, &v), string(text))
	return shapeOf(v)
}

func shapeOf(v any) any {
	switch v := v.(type) {
	case map[string]any:
		keys := map[string]any{}
		for key, value := range v {
			keys[key] = shapeOf(value)
		}
		return keys
	case []any:
		if len(v) == 0 {
			return "an empty list"
		}
		return []any{shapeOf(v[0])}
	case string:
		return "text"
	case float64:
		return "a number"
	case bool:
		return "true or false"
	}
	return "null"
}
