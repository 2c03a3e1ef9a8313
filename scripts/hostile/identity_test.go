package hostile_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestAnotherCustomersThings(t *testing.T) {
	t.Parallel()
	type attempt struct{ service, method, path string }
	hidden := func(v victim) []attempt {
		return []attempt{
			{"orders", "GET", "/v1/orders/" + v.orderID},
			{"orders", "POST", "/v1/orders/" + v.orderID + "/cancel"},
		}
	}
	lists := func(v victim) []attempt {
		return []attempt{
			{"orders", "GET", "/v1/orders"},
			{"payments", "GET", "/v1/payments"},
			{"payments", "GET", "/v1/payments?order_id=" + v.orderID},
			{"shipping", "GET", "/v1/shipments"},
			{"shipping", "GET", "/v1/shipments?order_id=" + v.orderID},
			{"notifications", "GET", "/v1/notifications"},
		}
	}
	probe := func(t *testing.T, v victim, place func(service string) door, ada, eve string) {
		for _, a := range hidden(v) {
			if a.method == "GET" {
				place(a.service).ask(t, a.method, a.path, "", bearer(ada)).is(http.StatusOK)
			}
			place(a.service).ask(t, a.method, a.path, "", bearer(eve)).refused(http.StatusNotFound)
		}
		for _, a := range lists(v) {
			mine := place(a.service).ask(t, a.method, a.path, "", bearer(eve)).is(http.StatusOK)
			for _, id := range []string{v.ID, v.Email, v.orderID, v.paymentID, v.shipmentID} {
				require.NotContains(t, string(mine.body), id, mine.call)
			}
		}
	}

	at(t, doors(t), func(t *testing.T, d door) {
		v, eve := d.ada(t), d.eve(t)
		probe(t, v, func(string) door { return d }, v.session, eve.session)

		t.Run("her idempotency key replays nothing of hers", func(t *testing.T) {
			d.ask(t, "POST", "/v1/orders", checkout, bearer(eve.session), "Idempotency-Key: "+v.key).refused(http.StatusUnprocessableEntity)
		})
		t.Run("her order is as it was", func(t *testing.T) {
			o := into[struct{ Status string }](d.ask(t, "GET", "/v1/orders/"+v.orderID, "", bearer(v.session)).is(http.StatusOK))
			require.Equal(t, "paid", o.Status)
		})
	})
	t.Run("at the services themselves", func(t *testing.T) {
		t.Parallel()
		d := gateway(t)
		v, eve := d.ada(t), d.eve(t)
		probe(t, v, func(name string) door { return service(t, name) }, signed(t, v.ID, "customer"), signed(t, eve.ID, "customer"))
	})
}

// forStaff are the endpoints that only staff may use.
func forStaff(bookID, shipmentID string) []struct{ service, method, path, body string } {
	return []struct{ service, method, path, body string }{
		{"catalog", "POST", "/v1/books", `{}`},
		{"catalog", "PATCH", "/v1/books/" + bookID, `{"price":{"amount":1,"currency":"USD"}}`},
		{"inventory", "GET", "/v1/stock/" + bookID, ``},
		{"inventory", "POST", "/v1/stock/" + bookID + "/deliveries", `{"quantity":1}`},
		{"shipping", "POST", "/v1/shipments/" + shipmentID + "/dispatch", ``},
	}
}

func TestStaffEndpoints(t *testing.T) {
	t.Parallel()
	at(t, doors(t), func(t *testing.T, d door) {
		v := d.ada(t)
		for _, e := range forStaff(d.bookID(t), v.shipmentID) {
			key := "Idempotency-Key: " + uuid.NewString()
			d.ask(t, e.method, e.path, e.body, key).refused(http.StatusUnauthorized)
			d.ask(t, e.method, e.path, e.body, key, bearer(v.session)).refused(http.StatusForbidden)
			if e.method == "GET" {
				d.ask(t, e.method, e.path, e.body, bearer(d.staff(t).session)).is(http.StatusOK)
			}
		}
	})
	t.Run("at the services themselves", func(t *testing.T) {
		t.Parallel()
		d := gateway(t)
		v := d.ada(t)
		customer := bearer(signed(t, v.ID, "customer"))
		for _, e := range forStaff(d.bookID(t), v.shipmentID) {
			key := "Idempotency-Key: " + uuid.NewString()
			service(t, e.service).ask(t, e.method, e.path, e.body, key).refused(http.StatusUnauthorized)
			service(t, e.service).ask(t, e.method, e.path, e.body, key, customer).refused(http.StatusForbidden)
			for _, role := range []string{"Staff", "staff ", "admin", "*", ""} {
				odd := bearer(signed(t, v.ID, role))
				service(t, e.service).ask(t, e.method, e.path, e.body, key, odd).refused(http.StatusForbidden)
			}
		}
	})
}

// claims are headers by which some server, somewhere, believes a client.
func claims(id string) []string {
	return []string{
		"X-User: " + id, "X-User-Id: " + id, "X-Account: " + id, "X-Account-Id: " + id, "X-Identity: " + id,
		"X-Subject: " + id, "X-Auth-User: " + id, "X-Remote-User: " + id, "Remote-User: " + id, "X-Forwarded-User: " + id,
		"X_User_Id: " + id, "X-Role: staff", "X-Roles: staff", "X-User-Role: staff", "X-Session: " + id, "X-Admin: true",
		"X-Original-Url: /internal/v1/keys", "X-Rewrite-Url: /internal/v1/keys", "X-Http-Method-Override: DELETE",
		"Cookie: session=" + id + "; token=" + id, "Proxy-Authorization: Bearer " + id,
		"Forwarded: for=127.0.0.1;proto=https;host=accounts", "X-Forwarded-Host: accounts",
	}
}

func TestIdentityHeaders(t *testing.T) {
	t.Parallel()
	at(t, doors(t), func(t *testing.T, d door) {
		v, eve := d.ada(t), d.eve(t)
		d.ask(t, "GET", "/v1/cart", "", claims(v.ID)...).refused(http.StatusUnauthorized)
		d.ask(t, "GET", "/v1/accounts/me", "", claims(v.ID)...).refused(http.StatusUnauthorized)

		asEve := append(claims(v.ID), bearer(eve.session))
		require.Equal(t, eve.ID, into[person](d.ask(t, "GET", "/v1/accounts/me", "", asEve...).is(http.StatusOK)).ID)
		d.ask(t, "GET", "/v1/orders/"+v.orderID, "", asEve...).refused(http.StatusNotFound)
		d.ask(t, "GET", "/v1/stock/"+d.bookID(t), "", asEve...).refused(http.StatusForbidden)

		t.Run("two credentials are none", func(t *testing.T) {
			d.ask(t, "GET", "/v1/cart", "", bearer(eve.session), bearer(v.session)).refused(http.StatusUnauthorized)
		})
		t.Run("a credential in the query or in a cookie is none", func(t *testing.T) {
			d.ask(t, "GET", "/v1/cart?access_token="+v.session, "").refused(http.StatusUnauthorized)
			d.ask(t, "GET", "/v1/cart", "", "Cookie: Authorization=Bearer "+v.session).refused(http.StatusUnauthorized)
		})
	})
	t.Run("at the services themselves", func(t *testing.T) {
		t.Parallel()
		v, eve := gateway(t).ada(t), gateway(t).eve(t)
		for name, path := range signedInPaths {
			service(t, name).ask(t, "GET", path, "", claims(v.ID)...).refused(http.StatusUnauthorized)
		}
		asEve := append(claims(v.ID), bearer(signed(t, eve.ID, "customer")))
		service(t, "orders").ask(t, "GET", "/v1/orders/"+v.orderID, "", asEve...).refused(http.StatusNotFound)
		service(t, "inventory").ask(t, "GET", "/v1/stock/"+gateway(t).bookID(t), "", asEve...).refused(http.StatusForbidden)
	})
}

// signedInPaths are, for each service that reads signed tokens, a page that needs one.
var signedInPaths = map[string]string{
	"inventory":     "/v1/stock/019f0a3b-7c4d-7e5f-8a6b-0c1d2e3f4a5b",
	"orders":        "/v1/cart",
	"payments":      "/v1/payments",
	"shipping":      "/v1/shipments",
	"notifications": "/v1/notifications",
}
