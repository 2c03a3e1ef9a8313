package differ

import (
	"fmt"
	"net/http"
	"net/url"
)

var bookMoves = []move{
	{5, readBook},
	{1, addBook},
	{3, badBook},
	{4, editBook},
	{3, badEdit},
}

// titles have words, cases and signs that sorting and searching could see differently.
var titles = []string{"The Sea-Wolf", "the sea wolf", "Ärger in Øre", "ärger in øre", "AC/DC 2.0", "Node.js, & more", "É",
	"Zebra 10", "Zebra 9",
	"O'Neill's \"Sea\"", "<b>Wolf</b>", "  spaced  out ", "Ωmega", "ß and SS", "wolf\tsea",
	"Cafe\u0301 L’E\u0301te\u0301", "Café L’Été", "می\u200cخواهم", "👩\u200d👧 ½ x²", "se\u00ada wo\u202elf", "İstanbul 1e5 ١٢"}

// prices are such that a cent lost in rounding shows.
var prices = []int{1, 99, 100, 333, 999, 1001, 1299, 2495, 100000000}

func addBook(g *generator) {
	if g.isbns == 6 {
		readBook(g)
		return
	}
	body := fmt.Sprintf(`{"isbn":"<isbn%d>","title":%q,"authors":[%q],"subject":"<tag>"%s,"price":{"amount":%d,"currency":"USD"}}`,
		g.isbns, pick(g, titles...)+" <tag>", pick(g, "Jack London", "Zoë Ωlive", "Zoe\u0308 Ωlive", "d'Arc, J."),
		pick(g, "", `,"publisher":"Macmillan"`, `,"published_on":"1904-10-25"`, `,"published_on":"1904-10-25","description":"Fog."`,
			`,"publisher":null`),
		pick(g, prices...))
	g.isbns++
	g.added = append(g.added, g.send(staff, http.MethodPost, "/v1/books", body))
}

func readBook(g *generator) {
	if g.chance(20) {
		g.get(g.anybody(), "/v1/books/%s", g.noID())
		return
	}
	id, shared := g.anyBook()
	g.add(Step{As: g.anybody(), Method: http.MethodGet, Path: "/v1/books/" + id, Shared: shared})
}

const fineBook = `{"isbn":"9780306406157","title":"T","authors":["A"],"subject":"<tag>","price":{"amount":1299,"currency":"USD"}}`

func badBook(g *generator) {
	if g.chance(35) {
		g.mistake(staff, http.MethodPost, "/v1/books", fineBook, nil)
		return
	}
	as := staff
	if g.chance(20) {
		as = pick(g, alice, nobody, liar)
	}
	g.send(as, http.MethodPost, "/v1/books", pick(g,
		`{}`,
		`{"isbn":"<isbn0>","title":"Taken","authors":["A"],"subject":"<tag>","price":{"amount":1,"currency":"USD"}}`,
		`{"isbn":"9780306406158","title":"T","authors":["A"],"subject":"<tag>","price":{"amount":1,"currency":"USD"}}`,
		`{"isbn":"<isbn5>","title":"","authors":[],"subject":"","price":{"amount":0,"currency":"USD"}}`,
		`{"isbn":"<isbn5>","title":"T","authors":["A",""],"subject":"<tag>","price":{"amount":100000001,"currency":"EUR"}}`,
		`{"isbn":"<isbn5>","title":"T","authors":["A"],"subject":"<tag>","price":{"amount":12.5,"currency":"USD"}}`,
		`{"isbn":"<isbn5>","title":"T","authors":["A"],"subject":"<tag>","price":{"amount":99999999999999999999,"currency":"USD"}}`,
		`{"isbn":"<isbn5>","title":"T\u0000","authors":["A"],"subject":"<tag>","price":{"amount":1,"currency":"USD"},"published_on":"2023-02-30"}`,
		`{"isbn":"<isbn5>","title":"T","authors":"A","subject":"<tag>","price":{"amount":1,"currency":"USD"}}`,
		`{"isbn":"<isbn5>","title":"T","authors":["A"],"subject":"<tag>","price":{"amount":1}}`,
		`{"isbn":"<isbn5>","title":"T","authors":["A"],"subject":"<tag>","price":{"amount":-5,"currency":"USD"},"publisher":"","description":""}`,
		`{"isbn":"<isbn5>","title":"T","authors":["A"],"subject":"<tag>","price":{"amount":1,"currency":"USD"},"version":7}`,
		fineBook[:len(fineBook)-1]+`,"title":"again"}`,
	))
}

// patches that are accepted, if the book is there.
var patches = []string{`{}`, `{"title":"Wolf & Sea <tag>"}`, `{"price":{"amount":333}}`,
	`{"price":{"amount":1999,"currency":"USD"}}`,
	`{"publisher":null,"description":null}`, `{"published_on":"2001-01-01"}`, `{"published_on":null}`, `{"authors":["B. Traven","A"]}`,
	`{"price":{}}`, `{"description":"  Fog\nand more  "}`, `{"title":"Cafe\u0301 <tag>"}`, `{"description":"e\u0301\r\n\te\u0301"}`,
	`{"title":"ZEBRA <tag>","price":{"amount":1}}`}

func editBook(g *generator) {
	s := Step{As: staff, Method: http.MethodPatch, Path: "/v1/books/" + g.ownBook(), Body: pick(g, patches...),
		Header: map[string]string{}}
	if g.chance(50) {
		s.Header["Content-Type"] = "application/merge-patch+json"
	}
	if g.chance(40) {
		etag := fmt.Sprintf("<s%d.etag>", g.random.IntN(len(g.steps)))
		s.Header["If-Match"] = pick(g, etag, etag, "*", `"1"`, `"2", "3"`, `W/"1"`, `"x"`, `1`, `"01"`)
	}
	id := g.add(s)
	if g.chance(60) {
		g.get(nobody, "/v1/books/%s", fmt.Sprintf("<s%d.id>", id))
	}
}

func badEdit(g *generator) {
	if g.chance(30) {
		g.mistake(staff, http.MethodPatch, "/v1/books/"+g.ownBook(), `{"price":{"amount":333}}`, nil)
		return
	}
	id, as := g.ownBook(), staff
	switch g.random.IntN(4) {
	case 0:
		id = g.noID()
	case 1:
		as = pick(g, alice, nobody, liar)
	}
	g.send(as, http.MethodPatch, "/v1/books/"+id, pick(g, `{"title":null}`, `{"title":""}`, `{"price":null}`,
		`{"price":{"amount":null}}`,
		`{"price":{"amount":0}}`, `{"price":{"currency":"EUR"}}`, `{"price":7}`, `{"isbn":"<isbn5>"}`, `{"authors":[]}`, `{"published_on":"tomorrow"}`,
		`{"published_on":"0000-01-01"}`, `{"title":"a","title":"b"}`, `{"price":{"amount":"1"}}`, `{"version":3}`,
		`{"description":" \n\u200d"}`, `{"description":"a\fb"}`, `{"title":"\u200d\u200c"}`))
}

var listMoves = []move{
	{7, listOwn},
	{3, listShared},
	{3, badList},
	{2, listByID},
}

// listOwn pages through the books that only this sequence has.
func listOwn(g *generator) {
	query := url.Values{}
	if g.chance(50) {
		query.Set("subject", "<tag>")
	} else {
		query.Set("q", pick(g, "<tag>", "<tag> wolf", "sea <tag>", "<tag> zeb", "<tag> ÄRG", "<tag> js", "<tag> 2.0", "<tag> o'ne",
			"<tag> london jack", "<tag> b", "<tag> café", "<tag> CAFE\u0301", "<tag> e\u0301te\u0301", "<tag> میخو", "<tag> ½ x", "<tag> zoë",
			"<tag> 1e5 ist"))
	}
	if sort := pick(g, "", "title", "price", "newest", "price"); sort != "" {
		query.Set("sort", sort)
	}
	limit := pick(g, 0, 1, 2, 2, 100)
	if limit > 0 {
		query.Set("limit", fmt.Sprint(limit))
	}
	g.page(g.anybody(), "/v1/books", query, limit, false)
}

// listShared looks at what everybody sees.
func listShared(g *generator) {
	query := url.Values{}
	if g.chance(60) && len(g.books.Subjects) > 0 {
		query.Set("subject", pick(g, g.books.Subjects...))
	}
	if g.chance(40) {
		query.Set("q", pick(g, "the", "sea", "sea wol", "of an", "é", "london", "1984 x", "mo", "war pea"))
	}
	query.Set("sort", pick(g, "title", "price", "newest"))
	limit := pick(g, 1, 5, 20)
	query.Set("limit", fmt.Sprint(limit))
	g.page(nobody, "/v1/books", query, limit, true)
}

// page asks for a list and, mostly, for the pages after it.
func (g *generator) page(as, path string, query url.Values, limit int, shared bool) int {
	address := func() string {
		if len(query) == 0 {
			return path
		}
		return path + "?" + encode(query)
	}
	first := g.add(Step{As: as, Method: http.MethodGet, Path: address(), Shared: shared})
	last := first
	for limit > 0 && limit < 100 && g.chance(60) && len(g.steps) < g.most {
		query.Set("cursor", fmt.Sprintf("<s%d.cursor>", last))
		last = g.add(Step{As: as, Method: http.MethodGet, Path: address(), Shared: shared})
	}
	return first
}

func badList(g *generator) {
	path := pick(g, "/v1/books", "/v1/books", "/v1/orders", "/v1/payments", "/v1/shipments", "/v1/notifications")
	g.get(alice, "%s?%s", path, pick(g, "limit=0", "limit=101", "limit=x", "limit=-1", "limit=1.5", "limit=99999999999999999999",
		"cursor=nonsense", "limit=1;", "limit=1&limit=1", "order_id=%zz", "order_id="+unknownID+";", "surprise&surprise",
		"cursor=e30", "cursor=bnVsbA", "cursor=W10", "cursor=%00", "limit=%20"))
	g.get(nobody, "/v1/books?%s", pick(g,
		"sort=author", "sort=TITLE", "q=%00", "subject=%00", "q=%ff", "q="+longWord, "sort=price&cursor=eyJ4IjoxfQ",
		"ids=x", "ids=,", "ids="+unknownID+"&limit=2", "ids="+unknownID+"&sort=price",
		"subject=<tag>&subject=other&limit=1&limit=x", "q=%22%27%3B--&subject=<tag>",
		"ids=&subject=<tag>&limit=1", "q=?", "q=%20", "q=%E2%80%8D", "q=%C2%BD&sort=price", "q="+longWord[1:]+"e%CC%81"))
	if g.chance(30) {
		g.get(nobody, "/v1/books/bestsellers?subject=%s", pick(g, "%00", "%ff", "<tag>"))
	}
}

func listByID(g *generator) {
	ids, shared := "", false
	for i := range 1 + g.random.IntN(4) {
		id, all := g.anyBook()
		if g.chance(15) {
			id, all = unknownID, false
		}
		if i > 0 {
			ids += ","
		}
		ids += id
		shared = shared || all
	}
	g.add(Step{As: g.anybody(), Method: http.MethodGet, Path: "/v1/books?ids=" + ids, Shared: shared})
}
