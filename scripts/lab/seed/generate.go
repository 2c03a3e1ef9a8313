package seed

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"iter"
	"slices"

	"github.com/google/uuid"
)

// Data is all that a shop starts with.
type Data struct {
	Size       Size
	Books      []Book
	Deliveries []Delivery // one per book, in the same order
	Accounts   []Account  // the member of staff, then the customers
	Orders     []Order    // oldest first; none of the huge size, whose orders are made when they are needed

	past *past
}

// AllOrders are the orders, oldest first. Those of the huge size are made one by one.
func (d *Data) AllOrders() iter.Seq[Order] {
	if d.Size == Huge {
		return d.past.all()
	}
	return slices.Values(d.Orders)
}

// Generate makes the data of a size. It takes milliseconds for the small one and a few seconds
// for the large one, and is the same each time.
func Generate(size Size) *Data {
	counts := size.Counts()
	works := Works()
	data := &Data{
		Size:     size,
		Books:    makeBooks(works, counts.Books),
		Accounts: makeAccounts(counts.Customers),
	}
	data.past = &past{data.Books, byPopularity(len(works), counts.Books), data.Accounts[1:], counts.Orders}
	if size != Huge {
		data.Orders = slices.AppendSeq(make([]Order, 0, counts.Orders), data.past.all())
	}
	data.Deliveries = makeDeliveries(data.Books, data.AllOrders())
	return data
}

// byPopularity returns the numbers of the books, the most popular first: the works as they are
// come before their editions.
func byPopularity(works, books int) []int {
	ranks := source("popularity of works", 0).Perm(works)
	for _, edition := range source("popularity of editions", 0).Perm(books - works) {
		ranks = append(ranks, works+edition)
	}
	return ranks
}

func makeDeliveries(books []Book, orders iter.Seq[Order]) []Delivery {
	sold := make(map[uuid.UUID]int, len(books))
	for order := range orders {
		if !order.sold() {
			continue
		}
		for _, item := range order.Items {
			sold[item.BookID] += item.Quantity
		}
	}
	deliveries := make([]Delivery, len(books))
	for i, book := range books {
		deliveries[i] = Delivery{
			ID:          newID(source("delivery", i), delivered),
			BookID:      book.ID,
			Quantity:    book.Stock + sold[book.ID],
			DeliveredAt: delivered,
		}
	}
	return deliveries
}

// delivered is when all books came in: after the last was catalogued and the last account opened,
// before the first order.
var delivered = opened.AddDate(0, 0, openedDays)

// Checksum identifies the data. Two sides of a comparison with the same one start alike.
func Checksum(data *Data) string {
	hash := sha256.New()
	if err := json.NewEncoder(hash).Encode(data); err != nil {
		panic("seed: " + err.Error()) // plain structs always encode
	}
	return hex.EncodeToString(hash.Sum(nil))
}
