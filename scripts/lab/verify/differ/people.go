package differ

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"

	"banyan/scripts/lab/seed"
)

// sequence gives steps a world: books that nobody has, and customers of their own.
func (r *runner) sequence(seed uint64, number int, steps []Step) *sequence {
	s := newSequence(seed, number, r.newWorld(int(seed%sideBySide)*perSeed+2*number), steps, r.Sides)
	s.fill = r.Fill
	return s
}

// start signs everybody in, and has the customers begin with empty carts.
func (r *runner) start(ctx context.Context, s *sequence) error {
	for who, address := range map[string]string{alice: s.world.readers[0], bob: s.world.readers[1], staff: seed.StaffEmail} {
		tokens, err := r.signIn(ctx, address)
		if err != nil {
			return err
		}
		for i, p := range s.players {
			p.tokens[who] = tokens[i]
		}
	}
	return s.emptyCarts(ctx)
}

func (r *runner) newWorld(first int) *world {
	r.worlds++
	w := &world{tag: fmt.Sprintf("%sw%d", r.nonce, r.worlds)}
	for i := range w.isbns {
		w.isbns[i] = withCheckDigit(r.isbn)
		r.isbn++
	}
	for i := range w.readers {
		w.readers[i] = seed.ReaderEmail(first + i + 2) // not the first: people buy as that one by hand, on one side perhaps
	}
	return w
}

// withCheckDigit makes an ISBN-13 of its first twelve digits (ISO 2108).
func withCheckDigit(digits int64) string {
	text, sum := fmt.Sprint(digits), 0
	for i, d := range text {
		sum += int(d-'0') * (1 + 2*(i%2))
	}
	return fmt.Sprint(text, (10-sum%10)%10)
}

// signIn signs somebody in on both sides, once in a run: passwords are dear to check, on purpose.
func (r *runner) signIn(ctx context.Context, address string) ([2]string, error) {
	r.mu.Lock()
	both, known := r.tokens[address]
	if !known {
		both = sync.OnceValues(func() ([2]string, error) { return r.newSessions(ctx, address) })
		r.tokens[address] = both
	}
	r.mu.Unlock()
	return both()
}

func (r *runner) newSessions(ctx context.Context, address string) (tokens [2]string, err error) {
	password := seed.ReaderPassword
	if address == seed.StaffEmail {
		password = seed.StaffPassword
	}
	step := Step{Method: http.MethodPost, Path: "/v1/sessions", Body: fmt.Sprintf(`{"email":%q,"password":%q}`, address, password)}
	for i, side := range r.Sides {
		p := newPlayer(side)
		said, err := p.ask(ctx, &world{}, step)
		if err != nil {
			return tokens, err
		}
		if tokens[i] = p.tokens["s0"]; tokens[i] == "" {
			return tokens, fmt.Errorf("sign %s in at the %s: %d %s", address, side.Name, said.Status, said.Body)
		}
	}
	return tokens, nil
}

// emptyCarts removes what earlier runs have left, on each side for itself.
func (s *sequence) emptyCarts(ctx context.Context) error {
	for _, p := range s.players {
		for _, who := range []string{alice, bob} {
			said, err := p.ask(ctx, s.world, Step{As: who, Method: http.MethodGet, Path: "/v1/cart"})
			if err != nil {
				return err
			}
			var cart struct {
				Items []struct {
					BookID string `json:"book_id"`
				} `json:"items"`
			}
			if err := json.Unmarshal(said.Body, &cart); err != nil {
				return fmt.Errorf("read the cart of %s at the %s: %w", who, p.side.Name, err)
			}
			for _, line := range cart.Items {
				out := Step{As: who, Method: http.MethodDelete, Path: "/v1/cart/items/" + line.BookID}
				if _, err := p.ask(ctx, s.world, out); err != nil {
					return err
				}
			}
		}
		clear(p.answered)
	}
	return nil
}
