package fakeshop

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"banyan/scripts/lab/seed"
	"banyan/scripts/lab/shop"
)

// book is one with the version that its ETag is made from.
type book struct {
	shop.Book
	Version int `json:"version"`
}

func (b *book) id() string { return b.ID }

func (s *Shop) routeBooks() {
	s.mux.HandleFunc("GET /v1/books", s.list)
	s.mux.HandleFunc("GET /v1/books/bestsellers", s.bestsellers)
	s.mux.HandleFunc("GET /v1/books/{id}", func(w http.ResponseWriter, r *http.Request) { s.show(w, 200, s.byID[r.PathValue("id")]) })
	s.mux.HandleFunc("POST /v1/books", s.staff(s.add))
	s.mux.HandleFunc("PATCH /v1/books/{id}", s.staff(s.change))
	s.mux.HandleFunc("POST /v1/stock/{id}/deliveries", s.once(s.staff(s.deliver)))
}

// stock enters the seeded books.
func (s *Shop) stock(data *seed.Data) {
	for i, b := range data.Books {
		s.enter(&book{Version: 1, Book: shop.Book{
			ID: b.ID.String(), ISBN: b.ISBN, Title: b.Title, Authors: b.Authors, Subject: b.Subject,
			PublishedOn: b.PublishedOn.Format(time.DateOnly), Price: shop.Money{Amount: b.Price, Currency: "USD"}, Available: b.Stock, Sold: 1 + i%7,
		}})
	}
}

func (s *Shop) enter(b *book) {
	s.books = append(s.books, b)
	s.byID[b.ID] = b
}

// page answers with the part of a list that limit and cursor ask for, 50 at most.
func page[T any](w http.ResponseWriter, r *http.Request, all []T, id func(T) string) {
	limit := 50
	if n, err := strconv.Atoi(r.FormValue("limit")); err == nil {
		limit = min(n, limit)
	}
	if after := r.FormValue("cursor"); after != "" {
		at := slices.IndexFunc(all, func(one T) bool { return id(one) == after })
		if at < 0 {
			Refuse(w, 400, "malformed")
			return
		}
		all = all[at+1:]
	}
	found := shop.List[T]{Items: all}
	if len(all) > limit {
		found.Items = all[:limit]
		last := id(all[limit-1])
		found.NextCursor = &last
	}
	Reply(w, 200, found)
}

func (s *Shop) list(w http.ResponseWriter, r *http.Request) {
	var found []*book
	if ids := r.FormValue("ids"); ids != "" {
		for id := range strings.SplitSeq(ids, ",") {
			found = append(found, s.byID[id])
		}
		Reply(w, 200, shop.List[*book]{Items: found})
		return
	}
	for _, b := range s.books {
		text := strings.ToLower(b.Title + " " + strings.Join(b.Authors, " "))
		if (r.FormValue("subject") == "" || b.Subject == r.FormValue("subject")) && strings.Contains(text, r.FormValue("q")) {
			found = append(found, b)
		}
	}
	slices.SortFunc(found, func(a, b *book) int {
		if r.FormValue("sort") == "newest" {
			return cmp.Compare(b.PublishedOn, a.PublishedOn)
		}
		return cmp.Compare(strings.ToLower(a.Title), strings.ToLower(b.Title))
	})
	page(w, r, found, (*book).id)
}

func (s *Shop) bestsellers(w http.ResponseWriter, r *http.Request) {
	found := slices.DeleteFunc(slices.Clone(s.books), func(b *book) bool { return b.Subject != r.FormValue("subject") })
	slices.SortFunc(found, func(a, b *book) int { return cmp.Compare(b.Sold, a.Sold) })
	Reply(w, 200, shop.List[*book]{Items: found})
}

func (s *Shop) show(w http.ResponseWriter, status int, b *book) {
	if b == nil {
		Refuse(w, 404, "not-found")
		return
	}
	w.Header().Set("ETag", b.tag())
	Reply(w, status, b)
}

func (b *book) tag() string { return fmt.Sprintf(`"%d"`, b.Version) }

func (s *Shop) add(w http.ResponseWriter, r *http.Request) {
	b := &book{Version: 1}
	_ = json.NewDecoder(r.Body).Decode(b)
	b.ID = uuid.NewString()
	s.enter(b)
	s.show(w, 201, b)
}

func (s *Shop) change(w http.ResponseWriter, r *http.Request) {
	b := s.byID[r.PathValue("id")]
	if tag := r.Header.Get("If-Match"); tag != "" && tag != b.tag() {
		Refuse(w, 412, "book-changed")
		return
	}
	_ = json.NewDecoder(r.Body).Decode(b)
	b.Version++
	s.show(w, 200, b)
}

func (s *Shop) deliver(w http.ResponseWriter, r *http.Request) {
	var body struct{ Quantity int }
	_ = json.NewDecoder(r.Body).Decode(&body)
	b := s.byID[r.PathValue("id")]
	b.Available += body.Quantity
	Reply(w, 200, map[string]any{"book_id": b.ID, "available": b.Available})
}
