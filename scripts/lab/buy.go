package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"banyan/scripts/lab/buy"
	"banyan/scripts/lab/up"
)

type buyCommand struct {
	Only    string `help:"Buy on one side only: monolith or services."`
	At      string `help:"Buy at this address, such as http://127.0.0.1:8090; no lab has to run." placeholder:"URL"`
	Outside string `help:"With --at, where the mail arrives. Default: the mail of the lab that the address belongs to." placeholder:"URL"`
}

type bought struct {
	Side string `json:"side"`
	*buy.Receipt
}

func (c *buyCommand) Run(ctx context.Context, line *commands, to streams) error {
	shops, err := c.shops(ctx, line.Dir)
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

func (c *buyCommand) shops(ctx context.Context, dir string) ([]shop, error) {
	if c.At != "" {
		mail, err := c.mail(ctx, dir)
		if err != nil {
			return nil, err
		}
		return []shop{{"given", buy.Shop{URL: c.At, OutsideURL: mail}}}, nil
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

// mail is where the mail of the shop at the given address arrives: beside the running lab whose front it is, or at the
// port that a lab with the same port offset has for it.
func (c *buyCommand) mail(ctx context.Context, dir string) (string, error) {
	if c.Outside != "" {
		return c.Outside, nil
	}
	state, err := up.Running(dir)
	if err == nil && state.Serves(c.At) {
		return state.OutsideURL, nil
	}
	candidates, err := up.OutsideBeside(c.At)
	if err != nil {
		return "", err
	}
	var found []string
	for _, candidate := range candidates {
		if answersMail(ctx, candidate) {
			found = append(found, candidate)
		}
	}
	if len(found) != 1 {
		return "", fmt.Errorf("it is not clear where the mail of %s arrives: say so with --outside URL (lab up prints it as mail, "+
			"without /mail), or name its lab with --dir; nothing was bought", c.At)
	}
	return found[0], nil
}

func answersMail(ctx context.Context, outside string) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, outside+"/mail.json?to=nobody", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK && strings.HasPrefix(response.Header.Get("Content-Type"), "application/json")
}
