package catalog

import (
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"banyan/internal/money"
	"banyan/internal/web"
)

func TestAdding(t *testing.T) {
	t.Parallel()
	s := newShop(t)

	t.Run("puts the book on the shelf, with nothing of it in stock", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		b := novel(1)
		b.Publisher, b.PublishedOn, b.Description = new("Murray"), new("0815-12-23"), new("A match.\nOr two.")
		b.Version, b.Available = 7, 7 // not for whoever adds it to say
		added := s.adds(b)
		require.EqualValues(t, 7, added.ID.Version())
		found, err := s.Book(t.Context(), added.ID)
		require.NoError(t, err)
		b.ID, b.Version, b.Available = added.ID, 1, 0
		require.Equal(t, b, found)
	})
	t.Run("answers with the book as it is shown later", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		body := `{"isbn":"` + isbn(2) + `","title":"Emma","authors":["Jane Austen"],"subject":"novels","price":{"amount":1299,"currency":"USD"}}`
		res := s.ask("POST", "/v1/books", "staff", body)
		require.Equal(t, 201, res.Code, res.Body)
		require.Equal(t, `"1"`, res.Header().Get("ETag"))
		shown := s.ask("GET", res.Header().Get("Location"), "", "")
		require.Equal(t, res.Body.String(), shown.Body.String())
		require.Equal(t, `"1"`, shown.Header().Get("ETag"))
	})
	t.Run("an ISBN that is taken is refused, by ten at once for all but one", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		var added, taken atomic.Int32
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				switch _, err := s.Add(t.Context(), novel(3)); {
				case err == nil:
					added.Add(1)
				default:
					if taken.Add(1); !ErrISBNTaken.Is(web.Fault(err)) {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, added.Load())
		require.EqualValues(t, 9, taken.Load())
	})
	t.Run("is for staff", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		require.Equal(t, 401, s.ask("POST", "/v1/books", "", `{}`).Code)
		require.Equal(t, 403, s.ask("POST", "/v1/books", "customer", `{}`).Code)
		require.Equal(t, 422, s.ask("POST", "/v1/books", "staff", `{}`).Code)
		require.Equal(t, 401, s.ask("PATCH", "/v1/books/"+uuid.NewString(), "", `{}`).Code)
		require.Equal(t, 403, s.ask("PATCH", "/v1/books/"+uuid.NewString(), "customer", `{}`).Code)
	})
}

func TestChanging(t *testing.T) {
	t.Parallel()
	s := newShop(t)

	t.Run("counts staff edits, and deliveries not", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		b := s.adds(novel(1))
		s.stocks(b.ID, 5)
		res := s.ask("PATCH", "/v1/books/"+b.ID.String(), "staff", `{"price":{"amount":999},"publisher":"Murray"}`)
		changed := read[Book](t, res, 200)
		require.Equal(t, `"2"`, res.Header().Get("ETag"))
		b.Price, b.Publisher, b.Version, b.Available = money.USD(999), new("Murray"), 2, 5
		require.Equal(t, b, changed)
		found, err := s.Book(t.Context(), b.ID)
		require.NoError(t, err)
		require.Equal(t, b, found)
	})
	t.Run("what is not acceptable changes nothing", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		b := s.adds(novel(2))
		p := read[problem](t, s.ask("PATCH", "/v1/books/"+b.ID.String(), "staff", `{"title":"","subject":"x"}`), 422)
		require.Equal(t, []string{"title"}, p.blamed())
		found, err := s.Book(t.Context(), b.ID)
		require.NoError(t, err)
		require.Equal(t, b, found)
	})
	t.Run("needs one of the versions seen, if any is named", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		b := s.adds(novel(3))
		path := "/v1/books/" + b.ID.String()
		for i, c := range []struct {
			tag    string
			status int
		}{{`"2"`, 412}, {`W/"1"`, 412}, {`"1"`, 200}, {`"1"`, 412}, {`"1", "2"`, 200}, {`*`, 200}, {`"abc"`, 412}} {
			res := s.ask("PATCH", path, "staff", fmt.Sprintf(`{"title":"Emma %d"}`, i), "If-Match", c.tag)
			require.Equal(t, c.status, res.Code, c.tag)
		}
		require.Equal(t, `"4"`, s.ask("GET", path, "", "").Header().Get("ETag"))
	})
	t.Run("by ten at once who saw the same version is possible for one", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		b := s.adds(novel(4))
		var changed atomic.Int32
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				_, err := s.Change(t.Context(), b.ID, Patch{}, []int{1})
				if err == nil {
					changed.Add(1)
				} else if !ErrChanged.Is(web.Fault(err)) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, changed.Load())
	})
	t.Run("by ten at once who do not care is possible for all", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		b := s.adds(novel(5))
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if _, err := s.Change(t.Context(), b.ID, Patch{}, nil); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		found, err := s.Book(t.Context(), b.ID)
		require.NoError(t, err)
		require.Equal(t, 11, found.Version)
	})
	t.Run("an unknown book is not found", func(t *testing.T) {
		t.Parallel()
		s := s.in(t)
		_, err := s.Change(t.Context(), uuid.New(), Patch{}, nil)
		require.ErrorIs(t, err, ErrNotFound)
		require.Equal(t, 404, s.ask("GET", "/v1/books/"+uuid.NewString(), "", "").Code)
		require.Equal(t, 400, s.ask("GET", "/v1/books/emma", "", "").Code)
	})
}

func TestBooks(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	one, other := s.adds(novel(1)), s.adds(novel(2))
	s.stocks(other.ID, 3)
	other.Available = 3

	found, err := s.Books(t.Context(), []uuid.UUID{other.ID, uuid.New(), one.ID})
	require.NoError(t, err)
	require.Equal(t, []Book{other, one}, found, "in the order asked, without those that are not there")

	none, err := s.Books(t.Context(), []uuid.UUID{uuid.New()})
	require.NoError(t, err)
	body, err := json.Marshal(web.List[Book]{Items: none})
	require.NoError(t, err)
	require.JSONEq(t, `{"items":[],"next_cursor":null}`, string(body))
}

func TestListsAfterAStaffEdit(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	b := s.adds(novel(1))
	before := s.list("q=emma")
	require.Equal(t, []Book{b}, before.Items)

	s.stocks(b.ID, 5)
	for _, same := range []string{"q=emma", "fresh=1&q=emma", "q=emma&subject=&limit=20&sort=title&cursor="} {
		require.Equal(t, before, s.list(same), "%s may be a moment old, for it asks the same", same)
	}
	res := s.ask("PATCH", "/v1/books/"+b.ID.String(), "staff", `{"title":"Emma Woodhouse"}`)
	changed := read[Book](t, res, 200)
	require.Equal(t, []Book{changed}, s.list("q=emma").Items)
	require.Equal(t, 5, changed.Available)

	body := `{"isbn":"` + isbn(2) + `","title":"Emma","authors":["Jane Austen"],"subject":"novels","price":{"amount":1299,"currency":"USD"}}`
	added := read[Book](t, s.ask("POST", "/v1/books", "staff", body), 201)
	require.Equal(t, []Book{added, changed}, s.list("q=emma").Items)
}

func TestAvailable(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	b := s.adds(novel(1))
	for _, copies := range []int{0, 1 << 31, 1<<53 - 1} {
		s.stocks(b.ID, copies)
		found := read[Book](t, s.ask("GET", "/v1/books/"+b.ID.String(), "", ""), 200)
		require.Equal(t, copies, found.Available)
		listed, err := s.Books(t.Context(), []uuid.UUID{b.ID})
		require.NoError(t, err)
		require.Equal(t, copies, listed[0].Available)
	}
}
