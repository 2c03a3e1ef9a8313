package catalog

import (
	"context"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"banyan/internal/fault"
)

// Search says which books to list, in which order, and from where.
type Search struct {
	Words   string // each prefixes a word of the title or of an author's name
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
	var where []string
	if words := prefixes(q.Words); words != "" {
		where = append(where, `b.words @@ to_tsquery('simple', @words)`)
		args["words"] = words
	}
	if q.Subject != "" {
		where = append(where, `b.subject = @subject`)
		args["subject"] = q.Subject
	}
	if q.After != nil {
		where = append(where, `(`+o.key+`, b.isbn) > (@key::text::`+o.cast+`, @isbn)`)
		args["key"], args["isbn"] = q.After.Key, q.After.ISBN
	}
	sql := `select ` + bookColumns + `, (` + o.key + `)::text as sort_key from ` + bookTables
	if len(where) > 0 {
		sql += ` where ` + strings.Join(where, ` and `)
	}
	return sql + ` order by ` + o.key + `, b.isbn limit @limit`, args
}

// prefixes writes the words as a text search query in which each is a prefix
// and all must match. Anything but letters, with their marks, and digits separates
// words, so nothing of the query's own syntax gets through.
func prefixes(words string) string {
	parts := strings.FieldsFunc(words, func(r rune) bool { return !unicode.In(r, unicode.L, unicode.M, unicode.Nd) })
	for i, p := range parts {
		parts[i] = p + ":*"
	}
	return strings.Join(parts, " & ")
}
