package ledger

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
	"banyan/scripts/lab/bench/drive"
	"banyan/scripts/lab/seed"
	"banyan/scripts/lab/shop"
	"banyan/scripts/lab/up"
)

const cartBooks = 3

// world is a lab with both sides and the gateway in front of the monolith, and customers who are signed in at both.
type world struct {
	options Options
	began   time.Time
	dir     string
	lab     *up.Lab
	meter   meter

	books     []seed.Book
	customers []customer
	owners    map[string]*pgx.Conn // of the schemas, by name
}

type customer struct {
	id    uuid.UUID
	token string
	books []uuid.UUID
}

// with builds the programs with something cut out, starts the lab, and has the world measure.
func with(ctx context.Context, options Options, measure func(context.Context, *world) error) error {
	return up.Folder(ctx, nil, func(dir string) error {
		w := &world{options: options, began: time.Now(), dir: dir, owners: map[string]*pgx.Conn{}}
		root, err := up.Root()
		if err != nil {
			return err
		}
		w.say("building the programs from which something is cut out")
		for _, p := range programs {
			if err := build(ctx, root, dir, p.of, w.variant(p.name), p.cuts...); err != nil {
				return err
			}
		}
		w.say("starting a lab")
		unlimited := []string{"RATE_LIMIT=1000000/s"}
		return up.With(ctx, up.Options{
			Dir: filepath.Join(dir, "lab"), SeedSize: "small", RandomPorts: true, Facade: true,
			Env: map[string][]string{"gateway": unlimited, "facade": unlimited},
		}, func(ctx context.Context, lab *up.Lab) error {
			w.lab, w.meter = lab, meter{lab}
			defer w.close(context.WithoutCancel(ctx))
			for _, name := range []string{"monolith", "orders", "inventory", "payments"} { // to get back what was swapped for a while
				if err := os.Link(w.binary(name), w.variant(name)); err != nil {
					return err
				}
			}
			if err := w.prepareCustomers(ctx); err != nil {
				return err
			}
			return measure(ctx, w)
		})
	})
}

func (w *world) binary(process string) string { return filepath.Join(w.dir, "lab", "bin", process) }

func (w *world) variant(name string) string { return filepath.Join(w.dir, "variant-"+name) }

// swap lets a process go on as another program.
func (w *world) swap(ctx context.Context, process, variant string) error {
	running := w.lab.Process(process)
	if err := running.Stop(ctx); err != nil {
		return err
	}
	if err := os.Remove(w.binary(process)); err != nil {
		return err
	}
	if err := os.Link(w.variant(variant), w.binary(process)); err != nil {
		return err
	}
	return running.Restart(ctx)
}

// prepareCustomers signs readers in at both sides, without hashing passwords, and fills up the stock.
func (w *world) prepareCustomers(ctx context.Context) error {
	data := seed.Generate(seed.Small)
	w.books = data.Books
	if len(data.Accounts) <= w.options.Checkouts {
		return fmt.Errorf("%d customers are wanted, and the small data set has %d", w.options.Checkouts, len(data.Accounts)-1)
	}
	var ids []uuid.UUID
	var hashes [][]byte
	for i, account := range data.Accounts[1 : 1+w.options.Checkouts] {
		random := make([]byte, 32)
		_, _ = rand.Read(random)
		c := customer{id: account.ID, token: base64.RawURLEncoding.EncodeToString(random)}
		for n := range cartBooks {
			c.books = append(c.books, w.books[(i*cartBooks+n)%len(w.books)].ID)
		}
		w.customers = append(w.customers, c)
		hash := sha256.Sum256([]byte(c.token))
		ids, hashes = append(ids, c.id), append(hashes, hash[:])
	}
	state := w.lab.State()
	for _, schema := range []string{"monolith", "accounts", "inventory", "orders"} {
		url, err := state.OwnerURL(schema)
		if err != nil {
			return err
		}
		if w.owners[schema], err = postgres.Connect(ctx, url); err != nil {
			return err
		}
	}
	const signIn = `insert into sessions (token_hash, account_id, created_at, expires_at)
		select hash, id, now(), now() + interval '1 day' from unnest($1::uuid[], $2::bytea[]) as s (id, hash)`
	for schema, change := range map[string]string{"monolith": signIn, "accounts": signIn} {
		if _, err := w.owners[schema].Exec(ctx, change, ids, hashes); err != nil {
			return fmt.Errorf("sign customers in: %w", err)
		}
	}
	for schema, change := range map[string]string{
		"monolith": `update books set stock = 1000000000`, "inventory": `update stock set on_hand = 1000000000`,
	} {
		if _, err := w.owners[schema].Exec(ctx, change); err != nil {
			return fmt.Errorf("fill up the stock: %w", err)
		}
	}
	return nil
}

// fillCarts gives each customer the same cart again.
func (w *world) fillCarts(ctx context.Context, schema string) error {
	var ids, owners, books []uuid.UUID
	for _, c := range w.customers {
		ids = append(ids, c.id)
		for _, book := range c.books {
			owners, books = append(owners, c.id), append(books, book)
		}
	}
	_, err := w.owners[schema].Exec(ctx, `insert into carts (account_id) select unnest($1::uuid[]) on conflict do nothing`, ids)
	if err == nil {
		_, err = w.owners[schema].Exec(ctx, `delete from cart_items where account_id = any($1::uuid[])`, ids)
	}
	if err == nil {
		_, err = w.owners[schema].Exec(ctx, `
			insert into cart_items (account_id, book_id, quantity)
			select *, 1 from unnest($1::uuid[], $2::uuid[])`, owners, books)
	}
	if err != nil {
		return fmt.Errorf("fill the carts: %w", err)
	}
	return nil
}

// checkouts are one of each customer.
func (w *world) checkouts(base string) ([]drive.Request, error) {
	var requests []drive.Request
	for _, c := range w.customers {
		r, err := drive.New(http.MethodPost, base, "/v1/orders", shop.Checkout(shop.CardGood), http.StatusCreated,
			"Authorization: Bearer "+c.token, "Idempotency-Key: "+uuid.NewString())
		if err != nil {
			return nil, err
		}
		requests = append(requests, r)
	}
	return requests, nil
}

// pages are reads of single books.
func (w *world) pages(base string, n int) ([]drive.Request, error) {
	var requests []drive.Request
	for i := range n {
		r, err := drive.Get(base, "/v1/books/"+w.books[i%len(w.books)].ID.String())
		if err != nil {
			return nil, err
		}
		requests = append(requests, r)
	}
	return requests, nil
}

// lookAtCarts lets each customer look at the cart, after which whoever remembers sessions knows them.
func (w *world) lookAtCarts(ctx context.Context, base string) error {
	var requests []drive.Request
	for _, c := range w.customers {
		r, err := drive.Get(base, "/v1/cart", "Authorization: Bearer "+c.token)
		if err != nil {
			return err
		}
		requests = append(requests, r)
	}
	result, err := drive.Closed(ctx, drive.Load{
		Base: base, Clients: 4, Count: len(requests), Request: func(n int) drive.Request { return requests[n] },
	})
	if err == nil {
		err = result.Good()
	}
	return err
}

func (w *world) close(ctx context.Context) {
	for _, conn := range w.owners {
		if conn != nil {
			_ = conn.Close(ctx)
		}
	}
}

func (w *world) say(format string, args ...any) {
	fmt.Fprintf(w.options.Out, "%6.1fs  %s\n", time.Since(w.began).Seconds(), fmt.Sprintf(format, args...))
}
