package buy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"

	"banyan/scripts/lab/shop"
)

// Login is a customer's account. One that does not exist yet is registered.
type Login struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

// Shop says where to buy.
type Shop struct {
	URL        string // of the monolith or the gateway
	OutsideURL string // where the mail arrives
}

// Receipt is what the customer got.
type Receipt struct {
	OrderID    string        `json:"order_id"`
	Order      string        `json:"order"`    // status
	Payment    string        `json:"payment"`  // status
	Shipment   string        `json:"shipment"` // status
	Mail       string        `json:"mail"`     // subject
	TotalCents int64         `json:"total_cents"`
	Took       time.Duration `json:"took_ns"`     // of everything
	Checkout   time.Duration `json:"checkout_ns"` // of the one request that buys
}

// Book buys one book, and prints to out what is sent and what comes back.
func Book(ctx context.Context, out io.Writer, at Shop, login Login) (*Receipt, error) {
	began := time.Now()
	c, err := newCustomer(at.URL, out)
	if err != nil {
		return nil, err
	}
	if err := c.signIn(ctx, login); err != nil {
		return nil, err
	}
	if err := c.fillCart(ctx); err != nil {
		return nil, err
	}
	receipt := &Receipt{}
	if err := c.checkOut(ctx, receipt); err != nil {
		return nil, err
	}
	if err := c.lookAround(ctx, receipt); err != nil {
		return nil, err
	}
	if err := c.readMail(ctx, at.OutsideURL, login.Email, receipt); err != nil {
		return nil, err
	}
	receipt.Took = time.Since(began)
	return receipt, nil
}

// signIn signs the customer in, and registers them first if nobody knows them.
func (c *customer) signIn(ctx context.Context, login Login) error {
	credentials, err := send(http.MethodPost, "/v1/sessions", login)
	if err != nil {
		return err
	}
	var session struct {
		Token   string `json:"token"`
		Account struct {
			Name string `json:"name"`
		} `json:"account"`
	}
	fmt.Fprintf(c.out, "$ %s\n", signInCommand(credentials, c.base))
	err = c.send(ctx, credentials, &session)
	if refusedWith(err, http.StatusUnauthorized) {
		c.tell("nobody of that name and password: registering, and once more")
		if err := c.register(ctx, login); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "$ %s\n", signInCommand(credentials, c.base))
		err = c.send(ctx, credentials, &session)
	}
	if err != nil {
		return err
	}
	c.token = session.Token
	c.tell("signed in as %s", session.Account.Name)
	return nil
}

func (c *customer) register(ctx context.Context, login Login) error {
	registration, err := send(http.MethodPost, "/v1/accounts", struct {
		Login
		Name string `json:"name"`
	}{login, "Lab Reader"})
	if err != nil {
		return err
	}
	var account struct {
		ID string `json:"id"`
	}
	if err := c.ask(ctx, registration, &account); err != nil {
		return err
	}
	c.tell("registered as account %s", account.ID)
	return nil
}

// fillCart finds a book that is there and takes one copy.
func (c *customer) fillCart(ctx context.Context) error {
	var books shop.List[shop.Book]
	if err := c.ask(ctx, get("/v1/books?sort=newest&limit=20"), &books); err != nil {
		return err
	}
	var chosen *shop.Book
	for i, found := range books.Items {
		if found.Available > 0 {
			chosen = &books.Items[i]
			break
		}
	}
	if chosen == nil {
		return errors.New("none of the newest books is in stock: start afresh with lab up --fresh, or have some delivered")
	}
	c.tell("%d books; taking %q for %s, of which there are %d", len(books.Items), chosen.Title, chosen.Price, chosen.Available)

	put, err := send(http.MethodPut, "/v1/cart/items/"+chosen.ID, map[string]int{"quantity": 1})
	if err != nil {
		return err
	}
	var filled shop.Cart
	if err := c.ask(ctx, put, &filled); err != nil {
		return err
	}
	copies := 0
	for _, line := range filled.Items {
		copies += line.Quantity
	}
	c.tell("the cart holds %d, for %s", copies, filled.Total)
	return nil
}

// checkOut buys the cart, and waits for the order if it was only accepted.
func (c *customer) checkOut(ctx context.Context, receipt *Receipt) error {
	purchase, err := send(http.MethodPost, "/v1/orders", json.RawMessage(shop.Checkout(shop.CardGood)))
	if err != nil {
		return err
	}
	purchase.Key = uuid.NewString()
	var bought shop.Order
	began := time.Now()
	if err := c.ask(ctx, purchase, &bought); err != nil {
		return err
	}
	receipt.Checkout = time.Since(began)
	c.tell("order %s is %s, %s, after %.0f ms (the same key again gets the same answer, and buys nothing)",
		bought.ID, bought.Status, bought.Total, receipt.Checkout.Seconds()*1000)

	settled, err := until(ctx, c, get("/v1/orders/"+bought.ID), func(o shop.Order) bool { return o.Status != shop.Pending })
	if err != nil {
		return err
	}
	if settled.Status == shop.Cancelled {
		return fmt.Errorf("order %s was cancelled instead of paid", settled.ID)
	}
	c.tell("the order is %s", settled.Status)
	receipt.OrderID, receipt.Order, receipt.TotalCents = settled.ID, settled.Status, settled.Total.Amount
	return nil
}

// lookAround asks for what follows a paid order.
func (c *customer) lookAround(ctx context.Context, receipt *Receipt) error {
	payments, err := until(ctx, c, get(query("/v1/payments", "order_id", receipt.OrderID)),
		func(l shop.List[shop.Payment]) bool { return len(l.Items) > 0 && l.Items[0].Status == "captured" })
	if err != nil {
		return err
	}
	receipt.Payment = payments.Items[0].Status
	c.tell("the payment of %s is %s", payments.Items[0].Amount, receipt.Payment)

	shipments, err := until(ctx, c, get(query("/v1/shipments", "order_id", receipt.OrderID)),
		func(l shop.List[shop.Shipment]) bool { return len(l.Items) > 0 })
	if err != nil {
		return err
	}
	receipt.Shipment = shipments.Items[0].Status
	c.tell("the shipment is %s", receipt.Shipment)
	return nil
}
