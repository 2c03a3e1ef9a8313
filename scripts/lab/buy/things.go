package buy

import "fmt"

// What the shop speaks of, as far as the customer looks at it.

type money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

func (m money) String() string {
	return fmt.Sprintf("%d.%02d %s", m.Amount/100, m.Amount%100, m.Currency)
}

type list[T any] struct {
	Items []T `json:"items"`
}

type book struct {
	ID        string `json:"id"`
	Title     string `json:"title"`
	Price     money  `json:"price"`
	Available int    `json:"available"`
}

type cart struct {
	Items []struct {
		Quantity int `json:"quantity"`
	} `json:"items"`
	Total money `json:"total"`
}

type order struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	Total  money  `json:"total"`
}

type purchase struct {
	Payment struct {
		Token string `json:"token"`
	} `json:"payment"`
	Address struct {
		Name     string `json:"name"`
		Street   string `json:"street"`
		City     string `json:"city"`
		Postcode string `json:"postcode"`
		Country  string `json:"country"`
	} `json:"shipping_address"`
}

type payment struct {
	Status string `json:"status"`
	Amount money  `json:"amount"`
}

type shipment struct {
	Status string `json:"status"`
}

type notification struct {
	Subject string `json:"subject"`
	To      string `json:"to"`
}

type mail struct {
	Subject string `json:"subject"`
	Body    string `json:"body"`
}

// newPurchase pays with a card that is always good.
func newPurchase() purchase {
	var p purchase
	p.Payment.Token = "tok_visa"
	p.Address.Name, p.Address.Street = "Lab Reader", "1 Fig Tree Lane"
	p.Address.City, p.Address.Postcode, p.Address.Country = "Bayonne", "64100", "FR"
	return p
}
