package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"banyan/docs/api"
	"banyan/internal/testdb"
	"banyan/internal/testprocess"
	"banyan/internal/token"
	"banyan/migrations"
	"banyan/scripts/lab/ladder"
)

// climbed is a database at the step.
func climbed(t *testing.T, step int) *testdb.DB {
	t.Helper()
	db := testdb.New(t, migrations.FS)
	require.NoError(t, ladder.Climb(t.Context(), db.SuperuserURL(), step, func(string) {}))
	return db
}

// trunk is the running process at a step of the ladder, and the world around it.
type trunk struct {
	testprocess.World
	t       *testing.T
	db      *testdb.DB
	url     string
	ops     string
	gateway ed25519.PrivateKey // may exchange tokens, at step 2
	asked   chan string        // the far neighbours, for what
}

func newSeed() ed25519.PrivateKey {
	_, key, _ := ed25519.GenerateKey(nil)
	return key
}

func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// startTrunk starts the process with the environment of the step, and no more.
func startTrunk(t *testing.T, step int) trunk {
	t.Helper()
	s := trunk{
		World: testprocess.New(t, "accounts"), t: t, db: climbed(t, step), gateway: newSeed(), asked: make(chan string, 100),
	}
	processor := httptest.NewServer(http.HandlerFunc(answerCards))
	t.Cleanup(processor.Close)
	key := newSeed()
	environ := []string{"DATABASE_URL=" + s.db.URL("monolith_app"), "EXTRACTED=" + strings.Join(leaving[:step-1], ",")}
	if step == 2 {
		environ = append(environ, "SIGNING_KEYS="+encode(newSeed().Seed()),
			"CALLERS=gateway="+encode(s.gateway.Public().(ed25519.PublicKey)))
	} else {
		environ = append(environ, "ACCOUNTS_URL="+s.IssuerURL)
	}
	if step >= 5 {
		environ = append(environ, "INVENTORY_URL="+s.neighbour("inventory", key), "SERVICE_KEY="+encode(key.Seed()))
	}
	if step >= 6 {
		environ = append(environ, "PAYMENTS_URL="+s.neighbour("payments", key))
	} else {
		environ = append(environ, "PROCESSOR_URL="+processor.URL, "PROCESSOR_KEY=key")
	}
	if step >= 7 {
		environ = append(environ, "SHIPPING_URL="+s.neighbour("shipping", key))
	}
	ops := make(opsPort, 1)
	s.url = s.Run(func(ctx context.Context, environ []string, stderr io.Writer) error {
		return run(ctx, environ, io.MultiWriter(ops, stderr))
	}, environ...)
	s.ops = <-ops
	return s
}

// opsPort receives a process's log, and gives the address for operators on.
type opsPort chan string

func (o opsPort) Write(line []byte) (int, error) {
	var entry struct{ Msg, Port, Addr string }
	if json.Unmarshal(line, &entry) == nil && entry.Msg == "listening" && entry.Port == "ops" {
		o <- "http://" + entry.Addr
	}
	return len(line), nil
}

// neighbour is a service that admits orders alone, and says yes to everything.
func (s trunk) neighbour(name string, orders ed25519.PrivateKey) string {
	admit := token.NewAdmission(name, map[string][]ed25519.PublicKey{"orders": {orders.Public().(ed25519.PublicKey)}}).Require("orders")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if admit(r) != nil {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		s.asked <- name
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status":"captured"}`)
	}))
	s.t.Cleanup(server.Close)
	return server.URL
}

// request asks, with the bearer token if there is one, under a key of its own.
func (s trunk) request(method, url, bearer, body string) (status int, answer []byte) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, url, strings.NewReader(body))
	require.NoError(s.t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", uuid.NewString())
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(s.t, err)
	defer res.Body.Close()
	answer, err = io.ReadAll(res.Body)
	require.NoError(s.t, err)
	return res.StatusCode, answer
}

// asks is request of the process, which has to answer so.
func (s trunk) asks(status int, bearer, method, path, body string) (answer map[string]any) {
	s.t.Helper()
	got, said := s.request(method, s.url+path, bearer, body)
	require.Equal(s.t, status, got, "%s %s: %s", method, path, said)
	require.NoError(s.t, json.Unmarshal(said, &answer))
	return answer
}

// signedIn is the token of somebody whom accounts, far, has signed in.
func (s trunk) signedIn(role string) string {
	s.t.Helper()
	signed, err := s.People.Issue(token.Identity{Subject: uuid.New(), Role: role}, time.Minute)
	require.NoError(s.t, err)
	return signed
}

const purchase = `{"payment":{"token":"tok_visa"},"shipping_address":
	{"name":"Ada","street":"12 St James's Square","city":"London","postcode":"SW1Y 4JH","country":"GB"}}`

// buys buys two copies of the book, and returns the order's id.
func (s trunk) buys(bearer, book string) string {
	s.t.Helper()
	s.asks(200, bearer, "PUT", "/v1/cart/items/"+book, `{"quantity":2}`)
	return s.asks(201, bearer, "POST", "/v1/orders", purchase)["id"].(string)
}

// tells waits until the events have been published, in any order, by the monolith.
func (s trunk) tells(subjects ...string) {
	s.t.Helper()
	testprocess.Soon(s.t, func() bool { return len(s.Told("events.")) >= len(subjects) }, strings.Join(subjects, ", "))
	var told []string
	for _, msg := range s.Told("events.") {
		if source := msg.Header.Get("ce-source"); source != "test" {
			require.Equal(s.t, "monolith", source)
		}
		told = append(told, msg.Subject)
	}
	require.ElementsMatch(s.t, subjects, told)
}

// routes has one of each area.
var routes = map[string]string{
	"notifications": "GET /v1/notifications",
	"accounts":      "GET /v1/accounts/me",
	"catalog":       "GET /v1/books",
	"inventory":     "GET /v1/stock/" + theBook,
	"payments":      "GET /v1/payments",
	"shipping":      "GET /v1/shipments",
	"orders":        "GET /v1/orders",
}

const theBook = "0198c0de-0000-7000-8000-000000000b01" // of the examples

// At each step the process starts on the data of the step with its rights, becomes
// ready, and serves the routes of what is still here.
func TestSteps(t *testing.T) {
	t.Parallel()
	for step := 2; step <= 7; step++ {
		t.Run(fmt.Sprintf("step %d", step), func(t *testing.T) {
			t.Parallel()
			s := startTrunk(t, step)
			testprocess.Soon(t, func() bool { status, _ := s.request("GET", s.ops+"/readyz", "", ""); return status == 200 }, "it is ready")
			cfg := Config{Extracted: leaving[:step-1]}
			for area, route := range routes {
				method, path, _ := strings.Cut(route, " ")
				status, answer := s.request(method, s.url+path, "", "")
				if cfg.far(area) {
					require.Equal(t, 404, status, "%s: %s", route, answer)
				} else {
					require.Contains(t, []int{200, 401}, status, "%s: %s", route, answer)
				}
			}
			status, _ := s.request("GET", s.url+token.KeysPath, "", "")
			require.Equal(t, map[bool]int{true: 200, false: 404}[step == 2], status, "keys are published at step 2 alone")
		})
	}
}

func TestStep2(t *testing.T) {
	t.Parallel()
	s := startTrunk(t, 2)
	ada := s.asks(201, "", "POST", "/v1/accounts", `{"email":"ada@example.com","password":"correct horse","name":"Ada"}`)
	session := s.asks(201, "", "POST", "/v1/sessions", `{"email":"ada@example.com","password":"correct horse"}`)["token"].(string)
	s.tells("events.accounts.account.registered")

	super := s.db.Superuser()
	_, err := super.Exec(t.Context(), `
		insert into monolith.books (id, isbn, title, authors, subject, price, stock)
		values ($1, '9780141439587', 'Emma', '{Jane Austen}', 'novels', 999, 5)`, theBook)
	require.NoError(t, err)
	order := s.buys(session, theBook)
	s.tells("events.accounts.account.registered", "events.orders.order.paid")
	var paid map[string]any
	require.NoError(t, json.Unmarshal(s.Told("events.orders.")[0].Data, &paid))
	require.Equal(t, []any{order, ada["id"]}, []any{paid["order_id"], paid["account_id"]})

	// A customer whose card was declined has been told; others have not.
	s.asks(200, session, "PUT", "/v1/cart/items/"+theBook, `{"quantity":1}`)
	s.asks(402, session, "POST", "/v1/orders", strings.Replace(purchase, "tok_visa", "tok_declined", 1))
	_, err = super.Exec(t.Context(), `update monolith.accounts set role = 'staff'`)
	require.NoError(t, err)
	staff := s.asks(201, "", "POST", "/v1/sessions", `{"email":"ada@example.com","password":"correct horse"}`)["token"].(string)
	parcels := s.asks(200, session, "GET", "/v1/shipments", "")["items"].([]any)
	s.asks(200, staff, "POST", "/v1/shipments/"+parcels[0].(map[string]any)["id"].(string)+"/dispatch", "")
	s.tells("events.accounts.account.registered", "events.orders.order.paid", "events.orders.order.cancelled",
		"events.shipping.shipment.dispatched")
	require.Equal(t, "shipped", s.asks(200, session, "GET", "/v1/orders/"+order, "")["status"])

	// The gateway exchanges the session for what notifications understands.
	front, err := token.NewCaller("gateway", s.gateway).Token("accounts")
	require.NoError(t, err)
	signed := s.asks(200, front, "POST", "/internal/v1/sessions/exchange", `{"token":"`+session+`"}`)
	verifier := token.NewVerifier(token.VerifierConfig{Issuer: "accounts", IssuerURL: s.url})
	id, err := verifier.Verify(t.Context(), signed["token"].(string))
	require.NoError(t, err)
	require.Equal(t, ada["id"], id.Subject.String())
}

func TestStep4(t *testing.T) {
	t.Parallel()
	s := startTrunk(t, 4)
	ada, staff := s.signedIn("customer"), s.signedIn("staff")
	s.Tell("events.catalog.book.added", api.Event("book.added"))
	testprocess.Soon(t, func() bool {
		status, _ := s.request("PUT", s.url+"/v1/cart/items/"+theBook, ada, `{"quantity":1}`)
		return status == 200
	}, "the book can be bought")
	s.asks(200, staff, "POST", "/v1/stock/"+theBook+"/deliveries", `{"quantity":5}`)
	order := s.buys(ada, theBook)
	s.tells("events.catalog.book.added", "events.inventory.stock.changed", "events.inventory.stock.changed", "events.orders.order.paid")

	s.asks(200, ada, "POST", "/v1/orders/"+order+"/cancel", "")
	s.tells("events.catalog.book.added", "events.inventory.stock.changed", "events.inventory.stock.changed", "events.orders.order.paid",
		"events.inventory.stock.changed", "events.orders.order.cancelled")
	var told []string
	for _, msg := range s.Told("events.inventory.") {
		var data bytes.Buffer
		require.NoError(t, json.Compact(&data, msg.Data))
		told = append(told, data.String())
	}
	changed := func(available, version int) string {
		return fmt.Sprintf(`{"books":[{"book_id":"%s","available":%d,"version":%d}]}`, theBook, available, version)
	}
	require.ElementsMatch(t, []string{changed(5, 2), changed(3, 3), changed(5, 4)}, told)
	require.EqualValues(t, 5, s.asks(200, staff, "GET", "/v1/stock/"+theBook, "")["available"])
}

func TestStep7(t *testing.T) {
	t.Parallel()
	s := startTrunk(t, 7)
	ada := s.signedIn("customer")
	s.Tell("events.catalog.book.added", api.Event("book.added"))
	testprocess.Soon(t, func() bool {
		status, _ := s.request("PUT", s.url+"/v1/cart/items/"+theBook, ada, `{"quantity":1}`)
		return status == 200
	}, "the book can be bought")
	order := s.buys(ada, theBook)
	require.Equal(t, []string{"inventory", "payments"}, []string{<-s.asked, <-s.asked})
	s.tells("events.catalog.book.added", "events.orders.order.paid")

	var parcel map[string]any
	require.NoError(t, json.Unmarshal(api.Event("shipment.dispatched"), &parcel))
	parcel["order_id"] = order
	data, err := json.Marshal(parcel)
	require.NoError(t, err)
	s.Tell("events.shipping.shipment.dispatched", data)
	testprocess.Soon(t, func() bool { return s.asks(200, ada, "GET", "/v1/orders/"+order, "")["status"] == "shipped" }, "it is shipped")

	kept := s.buys(ada, theBook)
	s.asks(200, ada, "POST", "/v1/orders/"+kept+"/cancel", "")
	require.Equal(t, []string{"inventory", "payments", "shipping"}, []string{<-s.asked, <-s.asked, <-s.asked})
	s.tells("events.catalog.book.added", "events.orders.order.paid", "events.shipping.shipment.dispatched",
		"events.orders.order.paid", "events.orders.order.cancelled")
}

// A monolith that is started with an old environment finds that it may not write what
// was handed over.
func TestOldEnvironment(t *testing.T) {
	t.Parallel()
	w := testprocess.New(t, "accounts")
	for extracted, lost := range map[string]string{"": "notifications", "notifications": "accounts", "notifications,accounts": "catalog"} {
		err := run(t.Context(), []string{
			"ADDR=127.0.0.1:0", "OPS_ADDR=127.0.0.1:0", "DATABASE_URL=" + climbed(t, 4).URL("monolith_app"), "EXTRACTED=" + extracted,
			"NATS_URL=" + w.BrokerURL, "SMTP_ADDR=127.0.0.1:1", "PROCESSOR_URL=http://127.0.0.1:1", "PROCESSOR_KEY=key",
			"ACCOUNTS_URL=" + w.IssuerURL, "SIGNING_KEYS=" + encode(newSeed().Seed()), "CALLERS=gateway=" + encode(newSeed().Public().(ed25519.PublicKey)),
		}, io.Discard)
		require.ErrorContains(t, err, lost+" was handed over: add it to EXTRACTED")
	}
	err := Config{Extracted: leaving}.checkOwnership(t.Context(), climbed(t, 8).Pool("monolith_app"))
	require.ErrorContains(t, err, "orders was handed over, and nothing is left")
}
