package catalog

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"banyan/internal/fault"
)

// Search says which books to list, in which order, and from where.
type Search struct {
	Words   string // each prefixes a word of the title or of an author's name; "" is any book
	Subject string
	Sort    string // title, price or newest
	Limit   int
	After   *Position
}

// Position is where a page ended. It belongs to one order.
type Position struct {
	Sort string `json:"s"`
	Key  string `json:"k"`
	ISBN string `json:"i"`
}

// An order of the list: the expression that its index holds, and the type that
// turns a position's key back into a value.
type order struct{ key, cast string }

var orders = map[string]order{
	"title":  {`lower(b.title) collate "C"`, `text`},
	"price":  {`b.price`, `bigint`},
	"newest": {`b.age`, `integer`},
}

// Validate refuses an order that does not exist, and a position in another one.
func (q Search) Validate() error {
	var c fault.Checks
	_, known := orders[q.Sort]
	c.That(known, "sort", "must be title, price or newest")
	c.That(utf8.RuneCountInString(q.Words) <= 200 && searchable(q.Words), "q", "must be at most 200 characters of text")
	c.That(searchable(q.Subject), "subject", "must be text")
	if err := c.Err(); err != nil {
		return err
	}
	if q.After != nil && !q.After.in(q.Sort) {
		return fault.New(fault.Malformed, "", "The request cannot be read.").
			WithFields(fault.Field{Name: "cursor", Detail: "is not one of this sort"})
	}
	return nil
}

// searchable is text that the database can compare with.
func searchable(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// in reports whether the position is one of this order.
func (p Position) in(sort string) bool {
	if p.Sort != sort {
		return false
	}
	if orders[sort].cast == "text" {
		return searchable(p.Key + p.ISBN)
	}
	_, err := strconv.ParseInt(p.Key, 10, 32)
	return err == nil && searchable(p.ISBN)
}

// key tells apart the searches that have different answers. It has nothing of how a
// request was written, so a parameter that means nothing makes no other search.
func (q Search) key() string {
	var after Position
	if q.After != nil {
		after = *q.After
	}
	return fmt.Sprintf("%q %q %s %d %q", q.Words, q.Subject, q.Sort, q.Limit, after)
}

// found is a book in a list, with its place in the order.
type found struct {
	Book
	SortKey string `json:"-"`
}

func (f found) position(sort string) Position { return Position{sort, f.SortKey, f.ISBN} }

// Search returns one book more than q.Limit, if there is one.
func (s *Service) Search(ctx context.Context, q Search) ([]found, error) {
	sql, args := q.statement()
	rows, err := s.pool.Query(ctx, sql, args)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[found])
}

// statement walks the index of the chosen order from the position on: a page
// deep in the list costs as much as the first.
func (q Search) statement() (string, pgx.NamedArgs) {
	o := orders[q.Sort]
	args := pgx.NamedArgs{"limit": q.Limit + 1}
	from := bookTables
	var where []string
	if q.Words != "" {
		// In the from clause, the query is made once whatever the plan; in the where
		// clause, a plan for any words would make it again for each book.
		from += ` join book_query(@words) as query (words) on b.words @@ query.words`
		args["words"] = q.Words
	}
	if q.Subject != "" {
		where = append(where, `b.subject = @subject`)
		args["subject"] = q.Subject
	}
	if q.After != nil {
		where = append(where, `(`+o.key+`, b.isbn) > (@key::text::`+o.cast+`, @isbn)`)
		args["key"], args["isbn"] = q.After.Key, q.After.ISBN
	}
	sql := `select ` + bookColumns + `, (` + o.key + `)::text as sort_key from ` + from
	if len(where) > 0 {
		sql += ` where ` + strings.Join(where, ` and `)
	}
	return sql + ` order by ` + o.key + `, b.isbn limit @limit`, args
}
