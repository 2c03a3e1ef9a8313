package bench

import (
	"context"
	"fmt"

	"banyan/scripts/lab/seed"
	"banyan/scripts/lab/shop"
)

// preparers is how many sign customers in and tidy up side by side. None of that is measured.
const preparers = 4

// prepare does something before or between rounds, by connections that are closed afterwards.
func (s *side) prepare(do func(*shop.Client) error) error {
	client, err := shop.New(shop.Options{Raw: true}, s.url)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := do(client); err != nil {
		return fmt.Errorf("prepare the side %s: %w", s.name, err)
	}
	return nil
}

// signIn signs the staff and the customers in.
func (s *side) signIn(ctx context.Context, readers []reader) error {
	for _, r := range readers {
		s.customers = append(s.customers, &customer{reader: r, unsettled: true}) // nobody has looked into the cart yet
	}
	return s.prepare(func(client *shop.Client) error {
		staff, err := shop.Staff(ctx, client)
		if err != nil {
			return err
		}
		s.staff = staff.Token
		return shop.Each(ctx, len(s.customers), preparers, func(ctx context.Context, i int) error {
			one := s.customers[i]
			person, err := shop.SignIn(ctx, client, one.email, seed.ReaderPassword)
			if err == nil {
				one.token = person.Token
			}
			return err
		})
	})
}

// emptyCarts makes all carts empty, so that each round begins like every other.
func (s *side) emptyCarts(ctx context.Context) error {
	return s.prepare(func(client *shop.Client) error {
		return shop.Each(ctx, len(s.customers), preparers, func(ctx context.Context, i int) error {
			one := s.customers[i]
			if !one.unsettled && len(one.cart) == 0 {
				return nil
			}
			person := &shop.Person{Client: client, Email: one.email, Token: one.token}
			if err := person.EmptyCart(ctx); err != nil {
				return fmt.Errorf("empty the cart of %s: %w", one.email, err)
			}
			one.cart, one.unsettled = one.cart[:0], false
			return nil
		})
	})
}
