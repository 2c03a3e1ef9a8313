package workload

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Interaction is one of TPC-W's fourteen: a page that a customer, or a member of staff, asks for.
type Interaction int

// The interactions, in TPC-W's order.
const (
	Home Interaction = iota
	NewProducts
	BestSellers
	ProductDetail
	SearchRequest
	SearchResults
	ShoppingCart
	CustomerRegistration
	BuyRequest
	BuyConfirm
	OrderInquiry
	OrderDisplay
	AdminRequest
	AdminConfirm
	Interactions // how many there are
)

var interactionNames = [Interactions]string{
	"Home", "New Products", "Best Sellers", "Product Detail", "Search Request", "Search Results", "Shopping Cart",
	"Customer Registration", "Buy Request", "Buy Confirm", "Order Inquiry", "Order Display", "Admin Request", "Admin Confirm",
}

func (i Interaction) String() string { return interactionNames[i] }

// Mix is how often each interaction happens.
type Mix struct {
	Name string
	// Shares are in hundredths of a per cent, [Whole] together.
	Shares [Interactions]int
}

// Whole is the sum of a mix's shares.
const Whole = 10_000

// Mixes are those of TPC-W 1.8: mostly looking, the usual, and mostly buying.
var Mixes = []Mix{
	{"browsing", [Interactions]int{2900, 1100, 1100, 2100, 1200, 1100, 200, 82, 75, 69, 30, 25, 10, 9}},
	{"shopping", [Interactions]int{1600, 500, 500, 1700, 2000, 1700, 1160, 300, 260, 120, 75, 66, 10, 9}},
	{"ordering", [Interactions]int{912, 46, 46, 1235, 1453, 1308, 1353, 1286, 1273, 1018, 25, 22, 12, 11}},
}

// Only is a mix of one interaction.
func Only(i Interaction) Mix {
	m := Mix{Name: i.String()}
	m.Shares[i] = Whole
	return m
}

// FindMix returns a mix by its name.
func FindMix(name string) (Mix, error) {
	var names []string
	for _, mix := range Mixes {
		if mix.Name == name {
			return mix, nil
		}
		names = append(names, mix.Name)
	}
	return Mix{}, fmt.Errorf("there is no mix %q: it is one of %s", name, strings.Join(names, ", "))
}

// draw chooses an interaction by its share, whatever came before it.
func (m Mix) draw(random *rand.Rand) Interaction {
	at := random.IntN(Whole)
	for i, share := range m.Shares {
		if at < share {
			return Interaction(i)
		}
		at -= share
	}
	panic("the shares of mix " + m.Name + " are less than the whole")
}
