package orders

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/fault"
	"banyan/internal/idempotency"
	"banyan/internal/postgres"
	"banyan/internal/web"
)

const (
	// askWithin is how long a customer waits for a place in the database and for
	// the neighbours before the answer is 503 or 202. What came of it is written
	// down by answerWithin: the contract promises an answer within 3 s.
	askWithin    = 2600 * time.Millisecond
	answerWithin = 2900 * time.Millisecond
	// attempts bounds how often a checkout starts again because the cart or the
	// stock changed under it.
	attempts = 8
)

// Purchase is the wish to buy the cart.
type Purchase struct {
	AccountID uuid.UUID
	Key       idempotency.Request
	CardToken string
	Address   Address
}

// Checkout buys the cart and returns the answer to send, which is also the one
// that the key stands for from then on. Its errors are answers that are not kept.
func (s *Service) Checkout(ctx context.Context, p Purchase) (idempotency.Answer, error) {
	began := time.Now()
	placing, cancel := context.WithDeadline(ctx, began.Add(askWithin))
	defer cancel()
	for range attempts {
		claim, cart, err := s.readCheckout(placing, p.Key)
		if err != nil {
			return idempotency.Answer{}, fmt.Errorf("look at key and cart: %w", err)
		}
		if claim != nil {
			return s.repeat(placing, p.Key, *claim)
		}
		if len(cart.Items) == 0 {
			return idempotency.Answer{}, ErrEmptyCart
		}
		if len(cart.Items) > maxTitles { // filled before there was a limit
			return idempotency.Answer{}, ErrCartFull
		}
		o := newOrder(p.AccountID, cart, p.Address, p.CardToken)
		switch err := s.place(placing, p, o, cart.version); {
		case err == nil:
			// Money may move from here on: a client that goes away changes nothing.
			settling, cancel := context.WithDeadline(context.WithoutCancel(ctx), began.Add(answerWithin))
			defer cancel()
			return s.settle(settling, p, o, began.Add(askWithin))
		case s.tooFew(err) && cart.short() != nil:
			answer, err := s.refuse(placing, p.Key, cart.short())
			if idempotency.Taken(err) {
				continue
			}
			return answer, err
		case idempotency.Taken(err), cartMoved(err), s.tooFew(err), postgres.Retryable(err):
			continue // the next look at key, cart and stock says what it means
		case postgres.UniqueViolation(err, "orders_one_pending"):
			return idempotency.Answer{}, ErrPending
		default:
			return idempotency.Answer{}, fmt.Errorf("place order %s: %w", o.ID, err)
		}
	}
	return idempotency.Answer{}, ErrBusy
}

// place is the first transaction: everything that must be there before money
// moves, or a neighbour is asked. It is one batch, so one round trip. A batch has
// no `if`, so a guard has to make its statement fail: a key that is taken, a second
// pending order, a cart that moved, stock that would fall below zero.
//
// A client that goes away, or has waited for too long, before there is a
// connection has bought nothing. After that it changes nothing.
func (s *Service) place(ctx context.Context, p Purchase, o Order, cartVersion int64) error {
	var b pgx.Batch
	idempotency.QueueClaim(&b, p.Key, o.ID)
	s.queueInsertOrder(&b, o)
	queueExpectCart(&b, p.AccountID, cartVersion)
	if s.near.Payments != nil {
		s.near.Payments.QueueOpen(&b, o.ID, o.AccountID, o.Total.Amount, p.CardToken)
	}
	if s.near.Stock != nil {
		// Last: everybody wants the rows of a popular book, and from here to the
		// commit there is nothing left to do.
		s.near.Stock.QueueTake(ctx, &b, o.books(), o.quantities())
	}
	return postgres.ExecOnce(ctx, s.pool, &b)
}

// tooFew reports whether place failed since there are too few copies on a shelf
// that is near.
func (s *Service) tooFew(err error) bool { return s.near.Stock != nil && s.near.Stock.Refused(err) }

// settle asks the neighbours and writes down what came of it. If that is not
// known in time, the answer is 202, and the sweeper carries on.
func (s *Service) settle(ctx context.Context, p Purchase, o Order, deadline time.Time) (idempotency.Answer, error) {
	asking, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	o, soldOut, err := s.ask(asking, o)
	if err != nil {
		return s.store(ctx, p.Key, o)
	}
	var b pgx.Batch
	answer := answerFor(o)
	if soldOut != nil {
		answer = problem(soldOut)
		s.queueDeleteOrder(&b, o.ID)
	} else {
		s.queueOutcome(ctx, &b, o, true)
	}
	idempotency.QueueAnswer(&b, p.Key, answer)
	switch err := postgres.ExecWithin(ctx, s.pool, &b); {
	case err == nil:
		s.wake()
		return answer, nil
	case moved(err), idempotency.Answered(err): // the sweeper was quicker, or a retry after the lease
		o, err := selectOrder(ctx, s.pool, o.ID)
		if err != nil {
			return idempotency.Answer{}, err
		}
		return s.store(ctx, p.Key, o)
	default:
		return idempotency.Answer{}, fmt.Errorf("settle order %s: %w", o.ID, err)
	}
}

// ask takes the order through the steps of the saga: reserve its stock, unless it
// was taken when the order was placed, then charge its card. It returns the order
// as it has to become, and the fault that names the books if they are sold out. A
// neighbour's definite no ends the order whatever went before: what was reserved or
// charged, also by an attempt that nobody heard of, is undone with it or by its
// event. An error leaves the outcome unknown; asking again, from the first step, is
// right.
func (s *Service) ask(ctx context.Context, o Order) (Order, *fault.Error, error) {
	if s.far.Stock != nil {
		err := s.far.Stock.Reserve(ctx, o.ID, o.books(), o.quantities())
		switch {
		case errors.Is(err, ErrSoldOut):
			return o.cancelled(SoldOut), soldOut(o, err), nil
		case definite(err):
			return o.cancelled(Refused), nil, nil
		case err != nil:
			return o, nil, fmt.Errorf("reserve stock for order %s: %w", o.ID, err)
		}
	}
	captured, err := s.charge(ctx, o)
	switch {
	case definite(err):
		return o.cancelled(Refused), nil, nil
	case err != nil:
		return o, nil, fmt.Errorf("charge order %s: %w", o.ID, err)
	case captured:
		return o.paid(), nil, nil
	}
	return o.cancelled(Declined), nil, nil
}

// charge asks payments, far, or the card processor for payments that are near.
// Those have kept the card token of an order that the sweeper has found.
func (s *Service) charge(ctx context.Context, o Order) (captured bool, err error) {
	switch {
	case s.far.Payments != nil:
		return s.far.Payments.Charge(ctx, o.ID, o.AccountID, o.Total.Amount, o.CardToken)
	case o.CardToken == "":
		return s.near.Recovery.Recharge(ctx, o.ID)
	}
	return s.near.Payments.Charge(ctx, o.ID, o.Total.Amount, o.CardToken)
}

// queueOutcome is the second transaction. Its first statement is the order's
// transition out of pending, which raises if somebody else was quicker; so each
// of the others happens once. Near neighbours write their part here. The far ones
// hear of it, and give back what was reserved or charged for an order that is
// cancelled.
func (s *Service) queueOutcome(ctx context.Context, b *pgx.Batch, o Order, customerTold bool) {
	if o.Status == Paid {
		s.queueTransition(b, o.ID, Pending, Paid, "")
		if s.near.Payments != nil {
			s.near.Payments.QueueSettle(b, o.ID, true)
		}
		if s.near.Shipments != nil {
			s.near.Shipments.QueuePrepare(b, o.ID, o.AccountID, o.ShippingAddress.json())
		}
		s.tell(ctx, b, o, customerTold)
		queueTakeFromCart(b, o.AccountID, o.ID)
		return
	}
	s.queueTransition(b, o.ID, Pending, Cancelled, *o.CancelReason)
	if s.near.Payments != nil {
		s.queueUnpaid(b, o)
	}
	if s.near.Stock != nil {
		s.near.Stock.QueueGiveBack(ctx, b, o.books(), o.quantities())
	}
	s.tell(ctx, b, o, customerTold)
}

// queueUnpaid is what becomes of the near payment of an order that was not paid.
func (s *Service) queueUnpaid(b *pgx.Batch, o Order) {
	switch *o.CancelReason {
	case Refused:
		if s.far.Stock != nil && o.CardToken == "" { // the sweeper's: an attempt before may have charged the card
			s.near.Recovery.QueueDoubt(b, o.ID)
		}
		s.near.Recovery.QueueRefuse(b, o.ID)
	case SoldOut:
		s.near.Recovery.QueueForget(b, o.ID)
	default:
		s.near.Payments.QueueSettle(b, o.ID, false)
	}
}

// refuse stores that the cart cannot be bought. The first transaction was rolled
// back, and its claim of the key with it.
func (s *Service) refuse(ctx context.Context, key idempotency.Request, books []short) (idempotency.Answer, error) {
	answer := problem(soldOutHere(books))
	var b pgx.Batch
	idempotency.QueueClaim(&b, key, uuid.Nil)
	idempotency.QueueAnswer(&b, key, answer)
	return answer, postgres.ExecWithin(ctx, s.pool, &b)
}

// repeat answers a request whose key is claimed: with the stored answer, or,
// once the lease is over, with what the order is by now.
func (s *Service) repeat(ctx context.Context, key idempotency.Request, claim idempotency.Claim) (idempotency.Answer, error) {
	stored, err := claim.Decide()
	if err != nil {
		return idempotency.Answer{}, err
	}
	if stored != nil {
		return *stored, nil
	}
	o, err := selectOrder(ctx, s.pool, claim.About)
	if errors.Is(err, ErrNotFound) { // sold out, just now: it went when its answer came
		return s.kept(ctx, key)
	}
	if err != nil {
		return idempotency.Answer{}, err
	}
	return s.store(ctx, key, o)
}

// store keeps the answer for the order as it is, and returns the one that was
// kept first.
func (s *Service) store(ctx context.Context, key idempotency.Request, o Order) (idempotency.Answer, error) {
	var b pgx.Batch
	answer := answerFor(o)
	idempotency.QueueAnswer(&b, key, answer)
	err := postgres.ExecWithin(ctx, s.pool, &b)
	if idempotency.Answered(err) {
		return s.kept(ctx, key)
	}
	if err != nil {
		return idempotency.Answer{}, fmt.Errorf("store the answer for order %s: %w", o.ID, err)
	}
	return answer, nil
}

// kept is the answer that the key stands for.
func (s *Service) kept(ctx context.Context, key idempotency.Request) (idempotency.Answer, error) {
	claim, err := idempotency.Find(ctx, s.pool, key)
	if err != nil {
		return idempotency.Answer{}, err
	}
	if claim == nil || claim.Answer == nil {
		return idempotency.Answer{}, errors.New("the idempotency key is gone")
	}
	return *claim.Answer, nil
}

// answerFor is what a checkout answers when its order is like this.
func answerFor(o Order) idempotency.Answer {
	location := "/v1/orders/" + o.ID.String()
	if o.Status == Cancelled && *o.CancelReason == Declined {
		return problem(ErrDeclined.With("order_id", o.ID))
	}
	if o.Status == Cancelled && *o.CancelReason == Refused {
		return problem(ErrRefused.With("order_id", o.ID))
	}
	if o.Status == Cancelled && *o.CancelReason == SoldOut {
		return problem(ErrSoldOut.With("order_id", o.ID))
	}
	status := http.StatusCreated
	if o.Status == Pending {
		status = http.StatusAccepted
	}
	body, err := json.Marshal(o)
	if err != nil {
		panic(err) // plain data
	}
	return idempotency.Answer{Status: status, Location: location, ContentType: "application/json", Body: body}
}

func problem(f *fault.Error) idempotency.Answer {
	return idempotency.Answer{Status: web.Status(f.Kind), ContentType: web.ContentTypeProblem, Body: web.Problem(f)}
}

// short is a book of which there are too few.
type short struct {
	BookID    uuid.UUID `json:"book_id"`
	Title     string    `json:"title"`
	Available int       `json:"available"`
	Requested int       `json:"requested"`
}

// soldOutHere names the books of which there are too few on a shelf that is near.
func soldOutHere(books []short) *fault.Error { return ErrSoldOut.With("books", books) }

// soldOut names the books of which there are too few, with their titles, which
// inventory does not know.
func soldOut(o Order, err error) *fault.Error {
	books := shortage(err)
	for n := range books {
		for _, i := range o.Items {
			if i.BookID == books[n].BookID {
				books[n].Title = i.Title
			}
		}
	}
	return ErrSoldOut.With("books", books)
}
