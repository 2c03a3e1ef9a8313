package differ

import (
	"fmt"
	"net/http"
	"net/url"
)

var afterwardsMoves = []move{
	{4, func(g *generator) { listMine(g, "/v1/payments", true) }},
	{3, func(g *generator) { listMine(g, "/v1/shipments", true) }},
	{4, func(g *generator) { listMine(g, "/v1/notifications", false) }},
	{5, dispatch},
}

// listMine pages through what belongs to a customer.
func listMine(g *generator, path string, byOrder bool) {
	who, query := g.customer(), url.Values{}
	if g.chance(10) {
		who = pick(g, nobody, liar, staff)
	}
	if byOrder && g.chance(40) {
		query.Set("order_id", pick(g, g.order(alice), g.order(bob), g.order(who), unknownID, "7", ""))
	}
	limit := pick(g, 0, 1, 2, 3)
	if limit > 0 {
		query.Set("limit", fmt.Sprint(limit))
	}
	g.page(who, path, query, limit, false)
}

// listShipment asks for the shipment of an order, so that staff can send it.
func listShipment(g *generator, who, orderID string) {
	g.sent = append(g.sent, g.get(who, "/v1/shipments?order_id=%s", orderID))
}

func dispatch(g *generator) {
	if len(g.sent) == 0 {
		who := g.customer()
		g.buy(who)
		listShipment(g, who, g.order(who))
	}
	id := fmt.Sprintf("<s%d.item>", pick(g, g.sent...))
	if g.chance(10) {
		id = g.noID()
	}
	as := staff
	if g.chance(15) {
		as = pick(g, alice, nobody, liar)
	}
	s := Step{As: as, Method: http.MethodPost, Path: "/v1/shipments/" + id + "/dispatch"}
	g.add(s)
	if g.chance(25) {
		g.add(s)
	}
	if g.chance(40) {
		who := g.customer()
		g.get(who, "/v1/orders/%s", g.order(who))
	}
}
