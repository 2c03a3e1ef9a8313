package history

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"banyan/scripts/lab/shop"
)

// What customers and staff do with an order besides making it.
const (
	Read     = "read"
	List     = "list" // the customer's newest orders, among which is this one
	Cancel   = "cancel"
	Dispatch = "dispatch" // by staff
)

// Deed is one request about an order, written down before it was sent.
type Deed struct {
	Customer string
	Order    string
	What     string
	Began    time.Time
	Ended    time.Time // zero: no answer came, or one that says nothing

	Status int    // of HTTP
	Code   string // of a problem
	State  string // what the order is, as the answer says it; of a dispatch, what the shipment is
	Total  int64  // of the order, US cents
}

// intend writes down what is about to be asked. Only who asks changes it from now on.
func (h *History) intend(d Deed) *Deed {
	d.Began = time.Now()
	h.journal.write(note{Customer: d.Customer, Step: d.What, Order: d.Order})
	h.mu.Lock()
	defer h.mu.Unlock()
	h.Deeds = append(h.Deeds, &d)
	return &d
}

// does asks once. What stays unknown is written down as that.
func (c *Customer) does(ctx context.Context, who *shop.Person, what, order, method, path string) (*Deed, shop.Answer) {
	d := c.History.intend(Deed{Customer: c.Email, Order: order, What: what})
	said, err := who.Send(ctx, shop.Request{Method: method, Path: path})
	c.History.journal.write(note{Customer: c.Email, Step: "answer", Order: order, Status: said.Status, State: stateIn(said), Error: text(err)})
	if err != nil || said.Later() {
		return d, shop.Answer{}
	}
	d.Ended, d.Status, d.Code = time.Now(), said.Status, said.Code()
	return d, said
}

// Rereads looks at one of the customer's orders again.
func (c *Customer) Rereads(ctx context.Context, id string) {
	d, said := c.does(ctx, c.Person, Read, id, http.MethodGet, "/v1/orders/"+id)
	d.learn(said)
}

// Lists looks whether an order is among the newest ones.
func (c *Customer) Lists(ctx context.Context, id string) {
	d, said := c.does(ctx, c.Person, List, id, http.MethodGet, "/v1/orders")
	var page shop.List[shop.Order]
	if said.Status != http.StatusOK || json.Unmarshal(said.Body, &page) != nil {
		return
	}
	for _, o := range page.Items {
		if o.ID == id {
			d.State, d.Total = o.Status, o.Total.Amount
		}
	}
}

// Cancels asks for an order not to be delivered.
func (c *Customer) Cancels(ctx context.Context, id string) {
	d, said := c.does(ctx, c.Person, Cancel, id, http.MethodPost, "/v1/orders/"+id+"/cancel")
	d.learn(said)
}

// Dispatches has staff send the parcel of an order off, if there is one by now.
func (c *Customer) Dispatches(ctx context.Context, staff *shop.Person, id string) {
	said, err := c.Send(ctx, shop.Request{Method: http.MethodGet, Path: "/v1/shipments?order_id=" + id})
	var parcels shop.List[shop.Shipment]
	if err != nil || said.Status != http.StatusOK || json.Unmarshal(said.Body, &parcels) != nil || len(parcels.Items) == 0 {
		return
	}
	d, said := c.does(ctx, staff, Dispatch, id, http.MethodPost, "/v1/shipments/"+parcels.Items[0].ID+"/dispatch")
	d.learn(said)
}

// stateIn is what an answer says that the order, or the parcel, is; or the code of a problem.
func stateIn(said shop.Answer) string {
	var told struct {
		Status string `json:"status"`
	}
	if json.Unmarshal(said.Body, &told) != nil {
		return said.Code()
	}
	return told.Status
}

// learn takes over what an answer says of the order.
func (d *Deed) learn(said shop.Answer) {
	var o shop.Order
	if said.Status == http.StatusOK && json.Unmarshal(said.Body, &o) == nil {
		d.State, d.Total = o.Status, o.Total.Amount
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
