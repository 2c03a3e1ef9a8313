package race

import (
	"context"
	"net/http"
	"slices"

	"banyan/scripts/lab/shop"
)

// judge compares what the buyers were told with their orders, the stock and the ledger.
func (r *race) judge(ctx context.Context, orders []shop.Order) error {
	var paid []string
	for i, o := range orders {
		switch {
		case o.ID == "":
		case o.Status == "paid":
			paid = append(paid, o.ID)
		case o.Status == "cancelled" && o.CancelReason != nil && *o.CancelReason == "sold_out":
			r.report.SoldOutLater++
		default:
			r.findings.Add("an order of the race ends paid or sold out", "order %s of %s is %s", o.ID, r.buyers[i].Email, o.Status)
		}
	}
	r.report.Paid = len(paid)
	if sold := min(r.options.Copies, len(r.buyers)); len(paid) != sold {
		r.findings.Add("every copy is sold, and none twice", "%d orders are paid, of %d that can be", len(paid), sold)
	}
	if err := r.judgeOrders(ctx, orders); err != nil {
		return err
	}
	if err := r.judgeStock(ctx, r.options.Copies-len(paid), &r.report.Stock); err != nil {
		return err
	}
	charges, err := r.judgeLedger(ctx, paid)
	r.report.Charges = charges
	return err
}

// judgeOrders looks whether anybody has an order of the book that they were not told of.
func (r *race) judgeOrders(ctx context.Context, told []shop.Order) error {
	const looking = 16
	all := make([][]shop.Order, len(r.buyers))
	err := shop.Each(ctx, len(r.buyers), looking, func(ctx context.Context, i int) (err error) {
		all[i], err = r.ordersOf(ctx, r.buyers[i])
		return err
	})
	if err != nil {
		return err
	}
	for i, there := range all {
		for _, o := range there {
			if o.ID != told[i].ID {
				r.findings.Add("nobody has an order that they were not told of", "%s has order %s, %s", r.buyers[i].Email, o.ID, o.Status)
			}
		}
		if told[i].ID != "" && len(there) == 0 {
			r.findings.Add("an order that was acknowledged is there", "order %s of %s is not", told[i].ID, r.buyers[i].Email)
		}
	}
	return nil
}

// ordersOf are a customer's orders of the race's book.
func (r *race) ordersOf(ctx context.Context, p *shop.Person) ([]shop.Order, error) {
	var newest shop.List[shop.Order]
	if err := p.Ask(ctx, http.MethodGet, "/v1/orders?limit=20", nil, &newest); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(newest.Items, func(o shop.Order) bool {
		return !slices.ContainsFunc(o.Items, func(l shop.Line) bool { return l.BookID == r.book.ID })
	}), nil
}

func (r *race) judgeStock(ctx context.Context, expected int, left *int) (err error) {
	if *left, err = r.staff.Stock(ctx, r.book.ID); err != nil {
		return err
	}
	if *left != expected {
		r.findings.Add("what is not sold is in stock", "%d copies are left, not %d", *left, expected)
	}
	return nil
}

// judgeLedger compares the lines of the race's price with the paid orders, and returns how many charges were
// captured.
func (r *race) judgeLedger(ctx context.Context, paid []string) (charges int, err error) {
	entries, err := r.ledger(ctx)
	if err != nil {
		return 0, err
	}
	charged := map[string]int{}
	for _, e := range entries {
		if e.Amount != r.book.Price.Amount {
			continue
		}
		if e.Effect != "charge" {
			r.findings.Add("the card processor only charges", "it has a %s of order %s", e.Effect, e.Reference)
			continue
		}
		charges++
		charged[e.Reference]++
		if !slices.Contains(paid, e.Reference) {
			r.findings.Add("only paid orders are charged", "order %s is charged and not paid", e.Reference)
		}
	}
	for _, id := range paid {
		if charged[id] != 1 {
			r.findings.Add("a paid order is charged once", "order %s is charged %d times", id, charged[id])
		}
	}
	return charges, nil
}
