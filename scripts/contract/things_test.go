package contract_test

import "time"

// What the shop speaks of, as a client sees it. The document says which fields
// there are; these are the ones that the tests look at.

type money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

func usd(cents int64) money { return money{cents, "USD"} }

type problem struct {
	Type    string `json:"type"`
	Detail  string `json:"detail"`
	OrderID string `json:"order_id"`
	Errors  []struct {
		Name string `json:"name"`
	} `json:"errors"`
	Books []shortage `json:"books"`
}

type shortage struct {
	BookID    string `json:"book_id"`
	Title     string `json:"title"`
	Available int    `json:"available"`
	Requested int    `json:"requested"`
}

type account struct {
	ID        string    `json:"id"`
	Email     string    `json:"email"`
	Name      string    `json:"name"`
	Role      string    `json:"role"`
	CreatedAt time.Time `json:"created_at"`
}

type session struct {
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expires_at"`
	Account   account   `json:"account"`
}

type book struct {
	ID          string   `json:"id"`
	ISBN        string   `json:"isbn"`
	Title       string   `json:"title"`
	Authors     []string `json:"authors"`
	Subject     string   `json:"subject"`
	Publisher   *string  `json:"publisher"`
	PublishedOn *string  `json:"published_on"`
	Description *string  `json:"description"`
	Price       money    `json:"price"`
	Available   int      `json:"available"`
	Version     int      `json:"version"`
	Sold        int      `json:"sold"` // of bestsellers
}

type stock struct {
	BookID    string `json:"book_id"`
	Available int    `json:"available"`
}

type cart struct {
	Items []cartLine `json:"items"`
	Total money      `json:"total"`
}

type cartLine struct {
	BookID    string `json:"book_id"`
	Title     string `json:"title"`
	Quantity  int    `json:"quantity"`
	UnitPrice money  `json:"unit_price"`
	LineTotal money  `json:"line_total"`
}

type order struct {
	ID              string      `json:"id"`
	Status          string      `json:"status"`
	Items           []orderLine `json:"items"`
	Total           money       `json:"total"`
	ShippingAddress address     `json:"shipping_address"`
	PlacedAt        time.Time   `json:"placed_at"`
	CancelReason    *string     `json:"cancel_reason"`
}

type orderLine struct {
	BookID    string `json:"book_id"`
	Title     string `json:"title"`
	Quantity  int    `json:"quantity"`
	UnitPrice money  `json:"unit_price"`
}

type address struct {
	Name     string `json:"name"`
	Street   string `json:"street"`
	City     string `json:"city"`
	Postcode string `json:"postcode"`
	Country  string `json:"country"`
}

type payment struct {
	ID      string `json:"id"`
	OrderID string `json:"order_id"`
	Status  string `json:"status"`
	Amount  money  `json:"amount"`
}

type shipment struct {
	ID             string  `json:"id"`
	OrderID        string  `json:"order_id"`
	Status         string  `json:"status"`
	TrackingNumber *string `json:"tracking_number"`
}

type notification struct {
	ID     string     `json:"id"`
	Kind   string     `json:"kind"`
	To     string     `json:"to"`
	Status string     `json:"status"`
	SentAt *time.Time `json:"sent_at"`
}

type list[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"next_cursor"`
}

// object is a JSON object that a test composes.
type object map[string]any

// with is the object with one field changed; a dotted name reaches inside.
func (o object) with(name string, value any) object {
	return o.change(name, func(in object, field string) { in[field] = value })
}

// without is the object with one field less.
func (o object) without(name string) object {
	return o.change(name, func(in object, field string) { delete(in, field) })
}

func (o object) change(name string, do func(in object, field string)) object {
	c := object{}
	for k, v := range o {
		c[k] = v
	}
	if outer, inner, nested := cutDot(name); nested {
		c[outer] = c[outer].(object).change(inner, do)
		return c
	}
	do(c, name)
	return c
}

func cutDot(name string) (outer, inner string, nested bool) {
	for i := range name {
		if name[i] == '.' {
			return name[:i], name[i+1:], true
		}
	}
	return name, "", false
}
