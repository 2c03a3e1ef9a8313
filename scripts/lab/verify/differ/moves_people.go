package differ

import (
	"fmt"
	"net/http"
)

var accountMoves = []move{
	{3, func(g *generator) { g.get(g.anybody(), "/v1/accounts/me") }},
	{2, strangeCredentials},
	{3, badRegistration},
	{2, badSignIn},
	{1, newcomer},
}

// strangeCredentials are Authorization headers that say nothing.
func strangeCredentials(g *generator) {
	path := pick(g, "/v1/accounts/me", "/v1/cart", "/v1/orders", "/v1/payments", "/v1/shipments", "/v1/notifications",
		"/v1/stock/"+unknownID)
	value := pick(g, "Bearer", "Bearer ", "Basic YTpi", "Token x", "Bearer a b", "bearer x",
		"Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.", "Bearer AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	g.add(Step{Method: http.MethodGet, Path: path, Header: map[string]string{"Authorization": value}})
}

const registration = `{"email":"<tag>@differ.example","password":"differ-password","name":"Ada"}`

func badRegistration(g *generator) {
	if g.chance(30) {
		g.mistake(nobody, http.MethodPost, "/v1/accounts", registration, nil)
		return
	}
	g.send(nobody, http.MethodPost, "/v1/accounts", pick(g,
		`{}`,
		`{"email":null,"password":null,"name":null}`,
		`{"email":"<tag>@differ.example","password":"short","name":"Ada"}`,
		`{"email":"no address","password":"differ-password","name":"Ada"}`,
		`{"email":"Ada <a@b.example>","password":"differ-password","name":"Ada"}`,
		`{"email":"a@b.example\r\nBcc: c@d.example","password":"differ-password","name":"Ada"}`,
		`{"email":"<tag>@differ.example","password":"differ-password","name":""}`,
		`{"email":"<tag>@differ.example","password":"differ-password","name":"A\u0000da"}`,
		`{"email":"<tag>@differ.example","password":"differ-password","name":"Ada","role":"staff"}`,
		`{"email":1,"password":"differ-password","name":"Ada"}`,
		`{"email":"a@b.example","email":"c@d.example","password":"differ-password","name":"Ada"}`,
	))
}

// badSignIn is refused before anybody looks at a password, mostly: that is dear.
func badSignIn(g *generator) {
	if g.chance(30) {
		g.mistake(nobody, http.MethodPost, "/v1/sessions", `{"email":"<reader0>","password":"wrong"}`, nil)
		return
	}
	g.send(nobody, http.MethodPost, "/v1/sessions", pick(g,
		`{}`, `{"email":"","password":""}`, `{"email":"<reader0>"}`, `{"email":"<reader0>","password":7}`,
		`{"email":"<tag>@differ.example","password":"wrong"}`,
	))
}

// newcomer registers, looks around, and signs out. One in a few sequences has one.
func newcomer(g *generator) {
	if g.arrivals > 0 || !g.chance(40) {
		g.get(g.customer(), "/v1/accounts/me")
		return
	}
	g.arrivals++
	g.send(nobody, http.MethodPost, "/v1/accounts", registration)
	if g.chance(50) {
		g.send(nobody, http.MethodPost, "/v1/accounts",
			`{"email":"<tag>@DIFFER.example","password":"another-password","name":"Eve"}`)
	}
	me := fmt.Sprintf("s%d", g.send(nobody, http.MethodPost, "/v1/sessions",
		`{"email":"<tag>@differ.Example","password":"differ-password"}`))
	g.get(me, "/v1/accounts/me")
	g.get(me, "%s", pick(g, "/v1/cart", "/v1/orders", "/v1/notifications", "/v1/payments", "/v1/shipments"))
	g.get(me, "/v1/notifications")
	if g.chance(50) { // one address, spelled in three ways
		g.send(nobody, http.MethodPost, "/v1/accounts", `{"email":"<tag>e\u0301@differ.example","password":"e\u0301e\u0301e\u0301e\u0301","name":"\u200d"}`)
		g.send(nobody, http.MethodPost, "/v1/accounts", `{"email":"<tag>e\u0301@differ.example","password":"e\u0301e\u0301e\u0301e\u0301","name":"Zoe\u0308"}`)
		g.send(nobody, http.MethodPost, "/v1/accounts", `{"email":"<tag>É@differ.example","password":"another-password","name":"Eve"}`)
		g.send(nobody, http.MethodPost, "/v1/sessions", `{"email":"<tag>é@differ.example","password":"`+pick(g, "éééé", `e\u0301e\u0301e\u0301e\u0301`)+`"}`)
	}
	g.add(Step{As: me, Method: http.MethodDelete, Path: "/v1/sessions/current"})
	g.get(me, "/v1/accounts/me")
}

var routerMoves = []move{
	{3, wrongMethod},
	{2, unknownPath},
	{2, onlyHead},
	{2, badQuery},
	{2, foreignCursor},
	{1, func(g *generator) { g.get(g.anybody(), "%s", pick(g, "/", "/docs", "/openapi.yaml")) }},
	{1, func(g *generator) {
		g.add(Step{As: pick(g, nobody, liar), Method: http.MethodDelete, Path: "/v1/sessions/current"})
	}},
}

func wrongMethod(g *generator) {
	g.add(Step{
		As: g.anybody(),
		Method: pick(g, http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead,
			http.MethodOptions, "PURGE"),
		Path: pick(g, "/v1/accounts", "/v1/sessions", "/v1/sessions/current/", "/v1/books/bestsellers/"+unknownID, "/v1/cart/items",
			"/v1/orders/"+unknownID+"/cancel/", "/v1/stock", "/v1/shipments/"+unknownID, "/v1/stock/"+unknownID+"/deliveries/x",
			"/v1/notifications/"+unknownID, "/v1/payments/"+unknownID),
	})
	g.add(Step{
		As:     pick(g, nobody, alice, staff),
		Method: pick(g, "PURGE", http.MethodOptions, http.MethodHead, http.MethodPatch),
		Path: pick(g, "/v1/accounts/me", "/v1/sessions/current", "/v1/cart", "/v1/orders", "/v1/payments", "/v1/shipments",
			"/v1/notifications"),
	})
}

func unknownPath(g *generator) {
	g.add(Step{
		As:     g.anybody(),
		Method: pick(g, http.MethodGet, http.MethodPost),
		Path: pick(g, "/nothing", "/v1", "/v1/", "/v1/book", "/v2/books", "/v1/nothing", "/v1/orders/"+unknownID+"/nothing",
			"/internal/v1/keys",
			"/metrics", "/debug/pprof/", "/livez", "/v1/books/", "/v1//books", "//v1/books", "/v1/books//", "/v1/accounts/../orders",
			"/v1/books/%2e%2e/orders", "/v1/books%2fx", "/v1/cart/", "/V1/books", "/v1/Books", "/v1/books/%00", "/v1/books/x/y/z", "/docs/", "/openapi.yml"),
	})
}

// onlyHead asks for what a GET would be answered, without its body.
func onlyHead(g *generator) {
	g.add(Step{
		As:     g.anybody(),
		Method: http.MethodHead,
		Path: pick(g, "/", "/docs", "/openapi.yaml", "/v1/accounts/me", "/v1/cart", "/v1/orders?limit=1", "/v1/orders/"+g.order(alice),
			"/v1/payments?order_id="+g.order(alice), "/v1/shipments", "/v1/notifications", "/v1/stock/"+g.ownBook(), "/v1/books/"+g.ownBook(),
			"/v1/books/"+g.noID(), "/v1/books?limit=x", "/v1/books?subject=<tag>-nothing", "/v1/nothing", "/v1/accounts", "/v1/orders?;"),
	})
}

// badQuery has a query that two readers could read in two ways, wherever it is sent and by whom.
func badQuery(g *generator) {
	s := Step{As: g.anybody(), Method: pick(g, http.MethodGet, http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete)}
	if s.Method == http.MethodPost || s.Method == http.MethodPut {
		s.Body = pick(g, "{}", "{", registration)
	}
	s.Path = pick(g, "/", "/docs", "/v1/nothing", "/v1/accounts", "/v1/accounts/me", "/v1/sessions", "/v1/books", "/v1/books/bestsellers",
		"/v1/books/"+unknownID, "/v1/stock/"+unknownID, "/v1/cart", "/v1/cart/items/"+unknownID, "/v1/orders", "/v1/payments", "/v1/shipments",
		"/v1/notifications") + "?" +
		pick(g, ";", "a;b", "%", "%zz=1", "a=%2", "limit=1;limit=2", "a=1&a=1", "a=1&%61=2", "b&b&a&a", "a&a&%", "=1&=2", "&&a=1&&a=2")
	g.add(s)
}

// foreignCursor takes a cursor from one list to another. Where the first list had none to give, the second begins.
func foreignCursor(g *generator) {
	who, mine := g.customer(), []string{"/v1/orders?", "/v1/payments?", "/v1/shipments?", "/v1/notifications?"}
	made := g.get(who, "%slimit=1", pick(g, mine...))
	g.get(who, "%slimit=1&cursor=<s%d.cursor>", pick(g, append(mine, "/v1/books?subject=<tag>-nothing&")...), made)
}
