package inventory

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"banyan/internal/fault"
	"banyan/internal/idempotency"
	"banyan/internal/postgres"
)

// ErrNotFound says that inventory knows no such book.
var ErrNotFound = fault.New(fault.NotFound, "no-such-book", "There is no such book.")

const (
	// maxDelivery is the most copies that one delivery may bring.
	maxDelivery = 1_000_000
	// maxAvailable is the most copies that can be bought of a book: up to 2^53 - 1
	// every reader of JSON has the same number. A delivery beyond it is refused.
	// Copies that come back are never refused: a refund can't wait for room on a
	// shelf. So a shelf may hold more by what orders gave back, and shows this many
	// until they are sold.
	maxAvailable = 1<<53 - 1
)

// Stock is how many copies of a book can be bought.
type Stock struct {
	BookID    uuid.UUID `json:"book_id"`
	Available int       `json:"available"`
}

func checkDelivery(quantity int) error {
	var c fault.Checks
	c.That(quantity >= 1 && quantity <= maxDelivery, "quantity", "must be 1 to 1000000")
	return c.Err()
}

// tooMany names a delivery for which the shelf has no room.
func tooMany() error {
	var c fault.Checks
	c.That(false, "quantity", "must leave no more than 9007199254740991 copies to be bought")
	return c.Err()
}

// Service is the inventory.
type Service struct {
	pool *pgxpool.Pool
	wake func() // after a commit that has something to publish; nil: nobody has to be told
}

// New returns the inventory that the pool's database holds. wake is called after
// each commit that has something to publish; nil while catalog reads the stock
// for itself.
func New(pool *pgxpool.Pool, wake func()) *Service { return &Service{pool, wake} }

// Stock returns the book's stock, or ErrNotFound.
func (s *Service) Stock(ctx context.Context, bookID uuid.UUID) (Stock, error) {
	return selectStock(ctx, s.pool, bookID)
}

// Deliver puts copies on the shelf, once per key, and returns the answer to
// send: the new stock. It returns ErrNotFound if there is no such book.
func (s *Service) Deliver(ctx context.Context, key idempotency.Request, bookID uuid.UUID, quantity int) (idempotency.Answer, error) {
	if claim, err := idempotency.Find(ctx, s.pool, key); err != nil || claim != nil {
		return repeat(claim, err)
	}
	if err := checkDelivery(quantity); err != nil {
		return idempotency.Answer{}, err
	}
	var answer idempotency.Answer
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) (err error) {
		answer, err = s.deliver(ctx, tx, key, bookID, quantity)
		return err
	})
	if idempotency.Taken(err) { // by the same request, which has committed meanwhile
		return repeat(idempotency.Find(ctx, s.pool, key))
	}
	if shelfFull(err) {
		return idempotency.Answer{}, tooMany()
	}
	if err != nil {
		return idempotency.Answer{}, fmt.Errorf("deliver book %s: %w", bookID, err)
	}
	if s.wake != nil {
		s.wake()
	}
	return answer, nil
}

// deliver does all of it in the caller's transaction: the claim, the delivery,
// and the answer, which cannot be in flight for anybody to see.
func (s *Service) deliver(ctx context.Context, tx pgx.Tx, key idempotency.Request, bookID uuid.UUID, quantity int) (idempotency.Answer, error) {
	id := uuid.Must(uuid.NewV7())
	var b pgx.Batch
	var stock Stock
	idempotency.QueueClaim(&b, key, id)
	queueAddStock(&b, bookID, quantity, &stock)
	queueInsertDelivery(&b, id, bookID, quantity)
	if s.wake != nil {
		queueTell(ctx, &b, []uuid.UUID{bookID})
	}
	if err := postgres.Exec(ctx, tx, &b); err != nil {
		return idempotency.Answer{}, err
	}
	body, err := json.Marshal(stock)
	if err != nil {
		return idempotency.Answer{}, err
	}
	answer := idempotency.Answer{Status: http.StatusOK, ContentType: "application/json", Body: body}
	var store pgx.Batch
	idempotency.QueueAnswer(&store, key, answer)
	return answer, postgres.Exec(ctx, tx, &store)
}

// repeat answers a request whose key was found.
func repeat(claim *idempotency.Claim, err error) (idempotency.Answer, error) {
	if err != nil {
		return idempotency.Answer{}, err
	}
	if claim == nil || claim.Answer == nil {
		return idempotency.Answer{}, idempotency.ErrInUse
	}
	return *claim.Answer, nil
}
