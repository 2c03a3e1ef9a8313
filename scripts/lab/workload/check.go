package workload

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"banyan/scripts/lab/seed"
	"banyan/scripts/lab/shop"
)

// document is a payment or a shipment, as far as it is compared.
type document struct {
	OrderID string `json:"order_id"`
	Status  string `json:"status"`
}

// decoded makes a check of a body out of a check of what it holds.
func decoded[T any](check func(T) error) func([]byte) error {
	return func(body []byte) error {
		var content T
		if err := json.Unmarshal(body, &content); err != nil {
			return err
		}
		return check(content)
	}
}

func checkBook(want seed.Book) func([]byte) error {
	return decoded(func(got shop.Book) error { return sameBook(got, want) })
}

func checkPrice(want seed.Book, cents int64) func([]byte) error {
	return decoded(func(got shop.Book) error {
		if got.Price.Amount != cents {
			return fmt.Errorf("the price is %d, not the %d that was just set", got.Price.Amount, cents)
		}
		return sameBook(got, want)
	})
}

// sameBook compares what nobody changes.
func sameBook(got shop.Book, want seed.Book) error {
	if got.ID != want.ID.String() || got.ISBN != want.ISBN || got.Title != want.Title || got.Subject != want.Subject {
		return fmt.Errorf("it is %s %s %q, not the seeded %s %s %q", got.ID, got.ISBN, got.Title, want.ID, want.ISBN, want.Title)
	}
	if got.Price.Amount <= 0 || got.Price.Currency != "USD" || got.Available < 0 {
		return fmt.Errorf("%q costs %d %s, and there are %d", got.Title, got.Price.Amount, got.Price.Currency, got.Available)
	}
	return nil
}

func checkPromotions(ids []string) func([]byte) error {
	return decoded(func(got shop.List[shop.Book]) error {
		var have []string
		for _, b := range got.Items {
			have = append(have, b.ID)
		}
		if !slices.Equal(have, ids) {
			return fmt.Errorf("it lists the books %v, not %v", have, ids)
		}
		return nil
	})
}

// checkNewest wants a list that begins with what was published last.
func checkNewest(subject string) func([]byte) error {
	return checkBooks(subject, 1, func(a, b shop.Book) bool { return a.PublishedOn >= b.PublishedOn })
}

func checkBestsellers(subject string) func([]byte) error {
	return checkBooks(subject, 0, func(a, b shop.Book) bool { return a.Sold >= b.Sold && b.Sold > 0 })
}

func checkSubject(subject string) func([]byte) error { return checkBooks(subject, 1, byLowerTitle) }

// byLowerTitle leaves titles alone whose lower case depends on who makes it.
func byLowerTitle(a, b shop.Book) bool {
	return !isASCII(a.Title+b.Title) || strings.ToLower(a.Title) <= strings.ToLower(b.Title)
}

// checkBooks wants at least so many books, all of the subject, each in order with the next.
func checkBooks(subject string, atLeast int, inOrder func(a, b shop.Book) bool) func([]byte) error {
	return decoded(func(got shop.List[shop.Book]) error {
		if len(got.Items) < atLeast {
			return fmt.Errorf("it lists %d books of %s", len(got.Items), subject)
		}
		for i, b := range got.Items {
			if b.Subject != subject {
				return fmt.Errorf("it lists %q, of %s, as one of %s", b.Title, b.Subject, subject)
			}
			if i > 0 && !inOrder(got.Items[i-1], b) {
				return fmt.Errorf("it lists %q before %q", got.Items[i-1].Title, b.Title)
			}
		}
		return nil
	})
}

// checkFound wants books with the word in them, by title.
func checkFound(word string) func([]byte) error {
	return decoded(func(got shop.List[shop.Book]) error {
		if len(got.Items) == 0 {
			return fmt.Errorf("nothing was found for %q", word)
		}
		for i, b := range got.Items {
			if !strings.Contains(strings.ToLower(b.Title+" "+strings.Join(b.Authors, " ")), word) {
				return fmt.Errorf("%q by %v was found for %q", b.Title, b.Authors, word)
			}
			if i > 0 && !byLowerTitle(got.Items[i-1], b) {
				return fmt.Errorf("it lists %q before %q", got.Items[i-1].Title, b.Title)
			}
		}
		return nil
	})
}

// wantedLine is a line that a cart has to have.
type wantedLine struct {
	bookID   string
	quantity int
}

func checkCart(want *wantedLine) func([]byte) error {
	return decoded(func(got shop.Cart) error {
		var sum int64
		found := want == nil
		for _, l := range got.Items {
			if l.LineTotal.Amount != l.UnitPrice.Amount*int64(l.Quantity) {
				return fmt.Errorf("%d times %d is %d in it", l.Quantity, l.UnitPrice.Amount, l.LineTotal.Amount)
			}
			sum += l.LineTotal.Amount
			found = found || l.BookID == want.bookID && l.Quantity == want.quantity
		}
		if sum != got.Total.Amount {
			return fmt.Errorf("its total is %d and its lines are %d together", got.Total.Amount, sum)
		}
		if !found {
			return fmt.Errorf("it does not hold %d copies of %s, which were just put into it", want.quantity, want.bookID)
		}
		return nil
	})
}

func checkOrders(body []byte) error {
	return decoded(func(got shop.List[shop.Order]) error {
		if len(got.Items) == 0 {
			return errors.New("a customer who has ordered has no orders")
		}
		for i, o := range got.Items {
			if err := plausible(o); err != nil {
				return err
			}
			if i > 0 && o.PlacedAt.After(got.Items[i-1].PlacedAt) {
				return fmt.Errorf("order %s stands after an older one", o.ID)
			}
		}
		return nil
	})(body)
}

// checkOrder wants one order; if an id is given, that one; if a cart is given, one of exactly its lines.
func checkOrder(id string, bought []line, s *Catalogue) func([]byte) error {
	bought = slices.Clone(bought)
	return decoded(func(got shop.Order) error {
		if id != "" && got.ID != id {
			return fmt.Errorf("it is order %s", got.ID)
		}
		if bought != nil && len(got.Items) != len(bought) {
			return fmt.Errorf("it has %d lines and the cart had %d", len(got.Items), len(bought))
		}
		for _, l := range bought {
			id := s.books[l.book].ID.String()
			if !slices.ContainsFunc(got.Items, func(i shop.Line) bool { return i.BookID == id && i.Quantity == l.quantity }) {
				return fmt.Errorf("it lacks %d copies of book %s, which were in the cart", l.quantity, id)
			}
		}
		return plausible(got)
	})
}

func plausible(o shop.Order) error {
	var sum int64
	for _, l := range o.Items {
		sum += l.UnitPrice.Amount * int64(l.Quantity)
	}
	if sum != o.Total.Amount || sum == 0 {
		return fmt.Errorf("the total of order %s is %d and its lines are %d together", o.ID, o.Total.Amount, sum)
	}
	if !slices.Contains([]string{"pending", "paid", "shipped", "cancelled"}, o.Status) {
		return fmt.Errorf("order %s is %q", o.ID, o.Status)
	}
	return nil
}

// checkPayments wants the order's payment, which is there before the order's answer is.
func checkPayments(orderID string, settled bool) func([]byte) error {
	return decoded(func(got shop.List[document]) error {
		if settled && len(got.Items) != 1 {
			return fmt.Errorf("order %s has %d payments", orderID, len(got.Items))
		}
		return ofOrder(orderID, got.Items)
	})
}

// checkShipments lets a shipment follow its order a little later.
func checkShipments(orderID string) func([]byte) error {
	return decoded(func(got shop.List[document]) error {
		if len(got.Items) > 1 {
			return fmt.Errorf("order %s has %d shipments", orderID, len(got.Items))
		}
		return ofOrder(orderID, got.Items)
	})
}

func ofOrder(orderID string, documents []document) error {
	for _, d := range documents {
		if d.OrderID != orderID {
			return fmt.Errorf("it belongs to order %s, not to %s", d.OrderID, orderID)
		}
		if d.Status == "" {
			return fmt.Errorf("that of order %s has no status", orderID)
		}
	}
	return nil
}

func checkStock(of seed.Book) func([]byte) error {
	return decoded(func(got struct {
		BookID    string `json:"book_id"`
		Available int    `json:"available"`
	}) error {
		if got.BookID != of.ID.String() || got.Available < 0 {
			return fmt.Errorf("it has %d copies of %s, and some of %s were delivered", got.Available, got.BookID, of.ID)
		}
		return nil
	})
}

func checkAccount(email string) func([]byte) error {
	return decoded(func(got struct {
		Email string `json:"email"`
	}) error {
		if got.Email != email {
			return fmt.Errorf("it is the account of %s, not of %s", got.Email, email)
		}
		return nil
	})
}
