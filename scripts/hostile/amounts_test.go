package hostile_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestQuantities(t *testing.T) {
	t.Parallel()
	bad := []string{
		`0`, `-1`, `-0`, `100`, `2147483648`, `4294967297`, `9223372036854775807`, `9223372036854775808`, `1.5`, `1.0`, `1e3`, `1e-1`, `1E0`,
		`"1"`, `null`, `true`, `[1]`, `{"n":1}`, `01`, `+1`, `0x1`, `NaN`, `Infinity`, ``,
	}
	at(t, everywhere(t, "orders"), func(t *testing.T, d door) {
		front := d
		if d.name == "orders" {
			front = gateway(t)
		}
		book := front.bookID(t)
		// Somebody new, since the cart has to stay empty.
		me := front.register(t, "Quentin")
		credential := bearer(me.session)
		if d.name == "orders" {
			credential = bearer(signed(t, me.ID, "customer"))
		}
		for _, n := range bad {
			d.ask(t, "PUT", "/v1/cart/items/"+book, `{"quantity":`+n+`}`, credential).refused(http.StatusBadRequest, http.StatusUnprocessableEntity)
		}
		d.ask(t, "PUT", "/v1/cart/items/"+book, `{}`, credential).refused(http.StatusBadRequest, http.StatusUnprocessableEntity)
		d.ask(t, "PUT", "/v1/cart/items/"+book, `{"quantity":1,"quantity":2}`, credential).refused(http.StatusBadRequest)
		cart := into[struct{ Items []any }](d.ask(t, "GET", "/v1/cart", "", credential).is(http.StatusOK))
		require.Empty(t, cart.Items)
	})
	at(t, everywhere(t, "inventory"), func(t *testing.T, d door) {
		front, credential := d, ""
		if d.name == "inventory" {
			front = gateway(t)
			credential = bearer(signed(t, front.staff(t).ID, "staff"))
		} else {
			credential = bearer(d.staff(t).session)
		}
		path := "/v1/stock/" + front.bookID(t) + "/deliveries"
		for _, n := range bad {
			if n == `100` {
				continue // a good delivery
			}
			d.ask(t, "POST", path, `{"quantity":`+n+`}`, credential, "Idempotency-Key: "+uuid.NewString()).
				refused(http.StatusBadRequest, http.StatusUnprocessableEntity)
		}
		d.ask(t, "POST", path, `{"quantity":1000001}`, credential, "Idempotency-Key: "+uuid.NewString()).refused(http.StatusUnprocessableEntity)
	})
}

// What a customer pays is the shop's to say.
func TestAmountsSentByTheClient(t *testing.T) {
	t.Parallel()
	at(t, everywhere(t, "orders"), func(t *testing.T, d door) {
		front := d
		if d.name == "orders" {
			front = gateway(t)
		}
		book := front.bookID(t)
		me := front.register(t, "Penny")
		credential := bearer(me.session)
		if d.name == "orders" {
			credential = bearer(signed(t, me.ID, "customer"))
		}
		for _, extra := range []string{`"price":1`, `"unit_price":{"amount":1,"currency":"USD"}`, `"line_total":{"amount":1,"currency":"USD"}`, `"discount":100`} {
			d.ask(t, "PUT", "/v1/cart/items/"+book, `{"quantity":1,`+extra+`}`, credential).refused(http.StatusBadRequest)
		}
		d.ask(t, "PUT", "/v1/cart/items/"+book, `{"quantity":1}`, credential).is(http.StatusOK)

		pay := func(body string) answer {
			return d.ask(t, "POST", "/v1/orders", body, credential, "Idempotency-Key: "+uuid.NewString())
		}
		for _, extra := range []string{
			`"total":{"amount":1,"currency":"USD"}`, `"amount":1`, `"price":1`, `"status":"paid"`, `"account_id":"` + anID + `"`, `"id":"` + anID + `"`,
			`"items":[{"book_id":"` + book + `","quantity":1,"unit_price":{"amount":0,"currency":"USD"}}]`, `"currency":"IRR"`,
		} {
			pay(strings.TrimSuffix(checkout, "}") + "," + extra + "}").refused(http.StatusBadRequest)
			pay(strings.Replace(checkout, `"payment":{`, `"payment":{`+extra+`,`, 1)).refused(http.StatusBadRequest)
			pay(strings.Replace(checkout, `"shipping_address":{`, `"shipping_address":{`+extra+`,`, 1)).refused(http.StatusBadRequest)
		}
		orders := into[struct{ Items []any }](d.ask(t, "GET", "/v1/orders", "", credential).is(http.StatusOK))
		require.Empty(t, orders.Items, "nothing was bought")
	})
	at(t, doors(t), func(t *testing.T, d door) {
		for _, extra := range []string{`"role":"staff"`, `"id":"` + anID + `"`, `"created_at":"2020-01-01T00:00:00Z"`} {
			body := strings.TrimSuffix(registration(newEmail(), "Eve"), "}") + "," + extra + "}"
			d.ask(t, "POST", "/v1/accounts", body).refused(http.StatusBadRequest)
		}
		d.ask(t, "PATCH", "/v1/accounts/me", `{"role":"staff"}`, bearer(d.eve(t).session)).refused(http.StatusNotFound, http.StatusMethodNotAllowed)
	})
}
