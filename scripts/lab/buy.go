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
	Only string `help:"Buy on one side only: monolith or services."`
}

type bought struct {
	Side string `json:"side"`
	*buy.Receipt
}

func (c *buyCommand) Run(ctx context.Context, line *commands, to streams) error {
	state, err := up.Running(line.Dir)
	if err != nil {
		return err
	}
	sides, err := sidesOf(state, c.Only)
	if err != nil {
		return err
	}
	show := to.out
	if line.JSON {
		show = io.Discard
	}
	var all []bought
	for _, side := range sides {
		fmt.Fprintf(show, "# On the %s side, %s\n\n", side, state.SideURL(side))
		shop := buy.Shop{URL: state.SideURL(side), OutsideURL: state.OutsideURL}
		receipt, err := buy.Book(ctx, show, shop, buy.Login{Email: up.Customer.Email, Password: up.Customer.Password})
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
