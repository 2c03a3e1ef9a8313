package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"golang.org/x/sync/errgroup"

	"banyan/scripts/lab/seed"
)

// preparers is how many connections sign customers in and tidy up. None of that is measured.
const preparers = 4

// signIn signs the staff and the customers in.
func (s *side) signIn(ctx context.Context, readers []reader) error {
	for _, r := range readers {
		s.customers = append(s.customers, &customer{reader: r, unsettled: true}) // nobody has looked into the cart yet
	}
	return s.each(ctx, append([]*customer{nil}, s.customers...), func(c *conn, one *customer) (err error) {
		if one == nil {
			s.staff, err = newSession(ctx, c, seed.StaffEmail, seed.StaffPassword)
			return err
		}
		one.token, err = newSession(ctx, c, one.email, seed.ReaderPassword)
		return err
	})
}

func newSession(ctx context.Context, c *conn, email, password string) (string, error) {
	body, err := json.Marshal(map[string]string{"email": email, "password": password})
	if err != nil {
		return "", err
	}
	answer, err := c.must(ctx, &request{method: http.MethodPost, path: "/v1/sessions", body: body}, http.StatusCreated)
	if err != nil {
		return "", fmt.Errorf("sign %s in: %w", email, err)
	}
	return sessionToken(answer.body)
}

// emptyCarts makes all carts empty, so that each round begins like every other.
func (s *side) emptyCarts(ctx context.Context) error {
	return s.each(ctx, s.customers, func(c *conn, one *customer) error {
		if !one.unsettled && len(one.cart) == 0 {
			return nil
		}
		answer, err := c.must(ctx, &request{method: http.MethodGet, path: "/v1/cart", token: one.token}, http.StatusOK)
		if err != nil {
			return fmt.Errorf("look into the cart of %s: %w", one.email, err)
		}
		var found cart
		if err := json.Unmarshal(answer.body, &found); err != nil {
			return fmt.Errorf("read the cart of %s: %w", one.email, err)
		}
		for _, l := range found.Items {
			r := &request{method: http.MethodDelete, path: "/v1/cart/items/" + l.BookID, token: one.token}
			if _, err := c.must(ctx, r, http.StatusOK); err != nil {
				return fmt.Errorf("empty the cart of %s: %w", one.email, err)
			}
		}
		one.cart, one.unsettled = one.cart[:0], false
		return nil
	})
}

// each does something for each customer, some at a time, each worker on a connection of its own.
func (s *side) each(ctx context.Context, customers []*customer, do func(*conn, *customer) error) error {
	work := make(chan *customer)
	group, ctx := errgroup.WithContext(ctx)
	for range preparers {
		c, err := newConn(s.url)
		if err != nil {
			return err
		}
		group.Go(func() error {
			defer c.close()
			for one := range work {
				if err := do(c, one); err != nil {
					return err
				}
			}
			return nil
		})
	}
	group.Go(func() error {
		defer close(work)
		for _, one := range customers {
			select {
			case work <- one:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return group.Wait()
}

// must is a request without which there is nothing to measure.
func (c *conn) must(ctx context.Context, r *request, status int) (answer, error) {
	a, err := c.do(ctx, r)
	if err == nil && a.status != status {
		err = fmt.Errorf("%s was answered with %d %s", r, a.status, problemCode(a.body))
	}
	return a, err
}
