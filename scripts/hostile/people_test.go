package hostile_test

import (
	"crypto/ed25519"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"banyan/internal/token"
	"banyan/scripts/lab/seed"
)

const password = "correct horse battery"

// person is somebody with an account at one side.
type person struct {
	ID, Email, Name string
	session         string // the opaque token
}

func newEmail() string { return strings.ReplaceAll(uuid.NewString(), "-", "") + "@hostile.example" }

func registration(email, name string) string {
	body, _ := json.Marshal(map[string]string{"email": email, "password": password, "name": name})
	return string(body)
}

func credentials(email, password string) string {
	body, _ := json.Marshal(map[string]string{"email": email, "password": password})
	return string(body)
}

// register makes a new customer and signs them in.
func (d door) register(t *testing.T, name string) person {
	t.Helper()
	p := into[person](d.ask(t, "POST", "/v1/accounts", registration(newEmail(), name)).is(http.StatusCreated))
	p.session = d.signIn(t, p.Email, password)
	return p
}

func (d door) signIn(t *testing.T, email, password string) (session string) {
	t.Helper()
	a := d.ask(t, "POST", "/v1/sessions", credentials(email, password)).is(http.StatusCreated)
	return into[struct{ Token string }](a).Token
}

// once does something slow once per door, and only for the doors that are asked for.
type once[T any] struct {
	mu    sync.Mutex
	known map[string]T
}

func (o *once[T]) at(d door, make func() T) T {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, ok := o.known[d.name]; !ok {
		if o.known == nil {
			o.known = map[string]T{}
		}
		o.known[d.name] = make()
	}
	return o.known[d.name]
}

var eves, staffs once[person]

// eve is the customer of ill will.
func (d door) eve(t *testing.T) person {
	t.Helper()
	return eves.at(d, func() person { return d.register(t, "Eve") })
}

// staff works here.
func (d door) staff(t *testing.T) person {
	t.Helper()
	return staffs.at(d, func() person {
		p := person{Email: seed.StaffEmail, session: d.signIn(t, seed.StaffEmail, seed.StaffPassword)}
		p.ID = into[person](d.ask(t, "GET", "/v1/accounts/me", "", bearer(p.session)).is(http.StatusOK)).ID
		return p
	})
}

// victim is a customer who has bought something, with all that others must not see.
type victim struct {
	person
	orderID, shipmentID, paymentID string
	key                            string // of the checkout
}

var victims once[victim]

const checkout = `{"payment":{"token":"tok_visa"},"shipping_address":` + address + `}`

const address = `{"name":"Ada Lovelace","street":"12 St James's Square","city":"London","postcode":"SW1Y 4JH","country":"GB"}`

// ada is the customer whom eve wants to be.
func (d door) ada(t *testing.T) victim {
	t.Helper()
	return victims.at(d, func() victim {
		v := victim{person: d.register(t, "Ada Lovelace"), key: uuid.NewString()}
		me := bearer(v.session)
		d.ask(t, "PUT", "/v1/cart/items/"+d.bookID(t), `{"quantity":1}`, me).is(http.StatusOK)
		placed := d.ask(t, "POST", "/v1/orders", checkout, me, "Idempotency-Key: "+v.key).
			is(http.StatusCreated, http.StatusAccepted)
		v.orderID = into[struct{ ID string }](placed).ID
		eventually(t, "the order has a payment and a shipment", func() bool {
			v.paymentID, v.shipmentID = d.idOf(t, "/v1/payments?order_id="+v.orderID, me), d.idOf(t, "/v1/shipments?order_id="+v.orderID, me)
			return v.paymentID != "" && v.shipmentID != ""
		})
		return v
	})
}

// idOf is the id of a list's first item, if it has one.
func (d door) idOf(t *testing.T, path string, headers ...string) string {
	t.Helper()
	list := into[struct{ Items []struct{ ID string } }](d.ask(t, "GET", path, "", headers...).is(http.StatusOK))
	if len(list.Items) == 0 {
		return ""
	}
	return list.Items[0].ID
}

// bookID is a book that can be bought.
func (d door) bookID(t *testing.T) string {
	t.Helper()
	list := into[struct {
		Items []struct {
			ID        string
			Available int
		}
	}](d.ask(t, "GET", "/v1/books?limit=100", "").is(http.StatusOK))
	for _, b := range list.Items {
		if b.Available > 5 {
			return b.ID
		}
	}
	require.Fail(t, "nothing is left to buy")
	return ""
}

// signed is what accounts would give the gateway for a session: what the services
// behind it take for the person.
func signed(t *testing.T, id, role string) string {
	t.Helper()
	signer := token.NewSigner("accounts", []ed25519.PrivateKey{keyOf(t, "accounts")})
	raw, err := signer.Issue(token.Identity{Subject: uuid.MustParse(id), Role: role}, time.Minute)
	require.NoError(t, err)
	return raw
}
