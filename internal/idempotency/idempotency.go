package idempotency

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/fault"
	"banyan/internal/postgres"
)

const (
	// Lease is how long a request may be in flight before its key is anybody's.
	Lease = 10 * time.Second
	// Keep is how long an answer can be had again, at least: until Purge has
	// removed it, it can.
	Keep = 24 * time.Hour

	maxKey = 255
)

// What a key can be refused for.
var (
	ErrMissing = fault.New(fault.Malformed, "key-missing", "This request needs an Idempotency-Key header.")
	ErrReused  = fault.New(fault.Invalid, "key-reused", "This Idempotency-Key was used before with another body.")
	ErrInUse   = fault.New(fault.Conflict, "key-in-use", "The first request with this Idempotency-Key is still being worked on.").After(time.Second)
)

// Request identifies one request: the same owner sending the same key to the
// same address means the same request.
type Request struct {
	Owner       uuid.UUID
	Method      string
	Path        string
	Key         string
	Fingerprint [sha256.Size]byte // of the body as received
}

// Answer is what a request was answered with, to the byte.
type Answer struct {
	Status      int
	Location    string
	ContentType string
	Body        []byte
}

// Claim is a key that somebody has used.
type Claim struct {
	About   uuid.UUID // what the work makes
	Expired bool      // the lease is over
	Answer  *Answer   // nil while in flight
}

// FromRequest reads the key from the header. It returns ErrMissing if there is
// none, and a fault of the kind Malformed if there is one that is no key.
func FromRequest(r *http.Request, owner uuid.UUID, body []byte) (Request, error) {
	key := r.Header.Get("Idempotency-Key")
	if key == "" {
		return Request{}, ErrMissing
	}
	unprintable := func(c rune) bool { return c < 0x20 || c > 0x7e }
	if len(key) > maxKey || strings.ContainsFunc(key, unprintable) {
		return Request{}, fault.New(fault.Malformed, "", "The request cannot be read.").
			WithFields(fault.Field{Name: "Idempotency-Key", Detail: "must be 1 to 255 printable ASCII characters"})
	}
	return Request{owner, r.Method, r.URL.Path, key, sha256.Sum256(body)}, nil
}

// Decide says what a claim means for a request that finds it: the stored
// answer, or nil and nil if the lease is over and the caller is to find out
// what the work has come to, or ErrInUse.
func (c Claim) Decide() (*Answer, error) {
	if c.Answer == nil && !c.Expired {
		return nil, ErrInUse
	}
	return c.Answer, nil
}

const find = `
	select about, claimed_at < now() - $5::interval as expired, fingerprint,
		coalesce(status, 0), coalesce(location, ''), coalesce(content_type, ''), body
	from idempotency_keys
	where account_id = $1 and method = $2 and path = $3 and key = $4`

// Find returns the claim on the request's key, nil if it is free, and ErrReused
// if it was claimed for another body.
func Find(ctx context.Context, q postgres.Querier, r Request) (*Claim, error) {
	return scan(q.QueryRow(ctx, find, r.Owner, r.Method, r.Path, r.Key, Lease), r)
}

// QueueFind is Find on the caller's batch; found is called when the batch is sent.
func QueueFind(b *pgx.Batch, r Request, found func(*Claim) error) {
	b.Queue(find, r.Owner, r.Method, r.Path, r.Key, Lease).QueryRow(func(row pgx.Row) error {
		c, err := scan(row, r)
		if err != nil {
			return err
		}
		return found(c)
	})
}

func scan(row pgx.Row, r Request) (*Claim, error) {
	var c Claim
	var a Answer
	var fingerprint []byte
	err := row.Scan(&c.About, &c.Expired, &fingerprint, &a.Status, &a.Location, &a.ContentType, &a.Body)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare(fingerprint, r.Fingerprint[:]) == 0 {
		return nil, ErrReused
	}
	if a.Status != 0 {
		c.Answer = &a
	}
	return &c, nil
}

// QueueClaim claims the key for work that makes `about`. The batch fails, and
// Taken reports it, if the key is claimed already.
func QueueClaim(b *pgx.Batch, r Request, about uuid.UUID) {
	b.Queue(`
		insert into idempotency_keys (account_id, method, path, key, fingerprint, about)
		values ($1, $2, $3, $4, $5, $6)`,
		r.Owner, r.Method, r.Path, r.Key, r.Fingerprint[:], about)
}

// Taken reports whether a batch failed because its key is claimed already.
func Taken(err error) bool { return postgres.UniqueViolation(err, "idempotency_keys_pkey") }

// QueueAnswer stores the answer. The batch fails, and Answered reports it, if
// there is one, because the lease was over and somebody asked again: what one
// client was told, the work must not contradict. `about` becomes null then,
// which the column refuses.
func QueueAnswer(b *pgx.Batch, r Request, a Answer) {
	b.Queue(`
		update idempotency_keys
		set status = $5, location = nullif($6, ''), content_type = $7, body = $8,
			about = case when status is null then about end
		where account_id = $1 and method = $2 and path = $3 and key = $4`,
		r.Owner, r.Method, r.Path, r.Key, a.Status, a.Location, a.ContentType, a.Body)
}

// Answered reports whether a batch failed because its key has an answer already.
func Answered(err error) bool {
	return postgres.NotNullViolation(err, "idempotency_keys", "about")
}

// Purge forgets keys older than Keep, a thousand at a time so that no
// transaction grows long.
func Purge(ctx context.Context, q postgres.Querier) error {
	for {
		tag, err := q.Exec(ctx, `
			with old as materialized ( -- once; a subquery might be run again for each row
				select ctid
				from idempotency_keys
				where claimed_at < now() - $1::interval
				limit 1000
			)
			delete from idempotency_keys k
			using old
			where k.ctid = old.ctid`, Keep)
		if err != nil || tag.RowsAffected() < 1000 {
			return err
		}
	}
}
