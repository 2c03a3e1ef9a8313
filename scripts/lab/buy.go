package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"banyan/scripts/lab/buy"
	"banyan/scripts/lab/up"
)

type buyCommand struct {
	Only    string `help:"Buy on one side only: monolith or services."`
	At      string `help:"Buy at this address, such as http://127.0.0.1:8090; no lab has to run." placeholder:"URL"`
	Outside string `help:"With --at, where the mail arrives." default:"http://127.0.0.1:8100" placeholder:"URL"`
}

type bought struct {
	Side string `json:"side"`
	*buy.Receipt
}

func (c *buyCommand) Run(ctx context.Context, line *commands, to streams) error {
	shops, err := c.shops(line.Dir)
	if err != nil {
		return err
	}
	show := to.out
	if line.JSON {
		show = io.Discard
	}
	var all []bought
	for _, shop := range shops {
		side := shop.side
		fmt.Fprintf(show, "# On the %s side, %s\n\n", side, shop.URL)
		receipt, err := buy.Book(ctx, show, shop.Shop, buy.Login{Email: up.Customer.Email, Password: up.Customer.Password})
		if err != nil {
			return fmt.Errorf("buy a book on the %s side: %w", side, err)
		}
		all = append(all, bought{side, receipt})
	}
	if line.JSON {
		return json.NewEncoder(to.out).Encode(all)
	}
	for _, b := range all {
		fmt.Fprintf(show, "%s: order %s, payment %s, shipment %s, mail arrived, in %.1f s (the checkout itself: %.0f ms)\n",
			b.Side, b.Order, b.Payment, b.Shipment, b.Took.Seconds(), b.Checkout.Seconds()*1000)
	}
	return nil
}

// shop is where to buy, and what to call it.
type shop struct {
	side string
	buy.Shop
}

func (c *buyCommand) shops(dir string) ([]shop, error) {
	if c.At != "" {
		return []shop{{"given", buy.Shop{URL: c.At, OutsideURL: c.Outside}}}, nil
	}
	state, err := up.Running(dir)
	if err != nil {
		return nil, err
	}
	sides, err := sidesOf(state, c.Only)
	if err != nil {
		return nil, err
	}
	var shops []shop
	for _, side := range sides {
		shops = append(shops, shop{side, buy.Shop{URL: state.SideURL(side), OutsideURL: state.OutsideURL}})
	}
	return shops, nil
}
