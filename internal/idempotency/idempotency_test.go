package idempotency

import (
	"crypto/sha256"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"banyan/internal/fault"
	"banyan/internal/postgres"
	"banyan/internal/testdb"
	"banyan/migrations"
)

func TestFromRequest(t *testing.T) {
	t.Parallel()
	owner := uuid.New()
	for name, test := range map[string]struct {
		key  string
		kind fault.Kind
		fine bool
	}{
		"a UUID":                      {key: uuid.NewString(), fine: true},
		"any printable ASCII":         {key: ` !"#$%&'()*+,-./09:;<=>?@AZ[\]^_az{|}~`, fine: true},
		"255 characters":              {key: strings.Repeat("k", 255), fine: true},
		"256 characters":              {key: strings.Repeat("k", 256), kind: fault.Malformed},
		"none":                        {key: "", kind: fault.Malformed},
		"a letter that is not ASCII":  {key: "schlüssel", kind: fault.Malformed},
		"half a letter":               {key: "a\xff", kind: fault.Malformed},
		"a control character":         {key: "a\tb", kind: fault.Malformed},
		"the one that deletes, as it": {key: "a\x7f", kind: fault.Malformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/orders?ignored=1", nil)
			if test.key != "" {
				r.Header["Idempotency-Key"] = []string{test.key}
			}
			got, err := FromRequest(r, owner, []byte("body"))
			if !test.fine {
				require.Equal(t, test.kind, fault.KindOf(err))
				return
			}
			require.NoError(t, err)
			require.Equal(t, Request{owner, "POST", "/v1/orders", test.key, sha256.Sum256([]byte("body"))}, got)
		})
	}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	kept := &Answer{Status: 201}
	for name, test := range map[string]struct {
		claim  Claim
		answer *Answer
		err    error
	}{
		"in flight":           {Claim{}, nil, ErrInUse},
		"over and unanswered": {Claim{Expired: true}, nil, nil},
		"answered":            {Claim{Answer: kept}, kept, nil},
		"answered long ago":   {Claim{Answer: kept, Expired: true}, kept, nil},
	} {
		answer, err := test.claim.Decide()
		require.Equal(t, test.answer, answer, name)
		require.Equal(t, test.err, err, name)
	}
}

// desk is a database with keys. They are in each schema that needs them; this is one.
type desk struct {
	t    *testing.T
	pool *pgxpool.Pool
}

func newDesk(t *testing.T) desk {
	t.Helper()
	return desk{t, testdb.New(t, migrations.FS).Pool("orders_app")}
}

func (d desk) request() Request {
	return Request{uuid.New(), "POST", "/v1/orders", "key", sha256.Sum256([]byte("body"))}
}

// send sends a batch of what is queued.
func (d desk) send(queue func(b *pgx.Batch)) error {
	var b pgx.Batch
	queue(&b)
	return postgres.Exec(d.t.Context(), d.pool, &b)
}

func (d desk) claim(r Request, about uuid.UUID) error {
	return d.send(func(b *pgx.Batch) { QueueClaim(b, r, about) })
}

func (d desk) store(r Request, a Answer) error {
	return d.send(func(b *pgx.Batch) { QueueAnswer(b, r, a) })
}

func (d desk) find(r Request) *Claim {
	d.t.Helper()
	c, err := Find(d.t.Context(), d.pool, r)
	require.NoError(d.t, err)
	return c
}

func (d desk) ages(interval string) {
	d.t.Helper()
	_, err := d.pool.Exec(d.t.Context(), `update idempotency_keys set claimed_at = claimed_at - $1::interval`, interval)
	require.NoError(d.t, err)
}

func TestKey(t *testing.T) {
	t.Parallel()
	answer := Answer{201, "/v1/orders/1", "application/json", []byte("{\"a\": 1}\n")}

	t.Run("is free, then in flight, then anybody's, then answered", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		r, about := d.request(), uuid.New()
		require.Nil(t, d.find(r))
		require.NoError(t, d.claim(r, about))
		require.Equal(t, &Claim{About: about}, d.find(r))
		d.ages("9 seconds")
		require.Equal(t, &Claim{About: about}, d.find(r))
		d.ages("2 seconds")
		require.Equal(t, &Claim{About: about, Expired: true}, d.find(r))
		require.NoError(t, d.store(r, answer))
		require.Equal(t, &Claim{About: about, Expired: true, Answer: &answer}, d.find(r), "to the byte")
	})

	t.Run("belongs to an owner, a method and a path", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		r := d.request()
		require.NoError(t, d.claim(r, uuid.New()))
		require.True(t, Taken(d.claim(r, uuid.New())))
		for _, change := range []func(*Request){
			func(r *Request) { r.Owner = uuid.New() },
			func(r *Request) { r.Method = "PUT" },
			func(r *Request) { r.Path = "/v1/deliveries" },
			func(r *Request) { r.Key = "Key" },
		} {
			other := r
			change(&other)
			require.Nil(t, d.find(other))
			require.NoError(t, d.claim(other, uuid.New()))
		}
	})

	t.Run("holds one body", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		r := d.request()
		require.NoError(t, d.claim(r, uuid.New()))
		r.Fingerprint = sha256.Sum256([]byte("another"))
		_, err := Find(t.Context(), d.pool, r)
		require.ErrorIs(t, err, ErrReused)
		err = d.send(func(b *pgx.Batch) { QueueFind(b, r, func(*Claim) error { return nil }) })
		require.ErrorIs(t, err, ErrReused)
	})

	t.Run("is found on a batch as alone", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		r := d.request()
		find := func() (c *Claim) {
			c = &Claim{} // nobody was asked
			require.NoError(t, d.send(func(b *pgx.Batch) { QueueFind(b, r, func(found *Claim) error { c = found; return nil }) }))
			return c
		}
		require.Nil(t, find())
		require.NoError(t, d.claim(r, uuid.New()))
		require.NoError(t, d.store(r, Answer{Status: 402, ContentType: "application/problem+json", Body: []byte("{}")}))
		require.Equal(t, d.find(r), find())
		require.Empty(t, find().Answer.Location)
	})

	t.Run("keeps its first answer, and stops the work that has another", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		r, other := d.request(), d.request()
		require.NoError(t, d.claim(r, uuid.New()))
		require.NoError(t, d.store(r, answer))
		err := d.send(func(b *pgx.Batch) {
			QueueClaim(b, other, uuid.New()) // stands for the work
			QueueAnswer(b, r, Answer{Status: 402, ContentType: "application/problem+json"})
		})
		require.True(t, Answered(err))
		require.False(t, Taken(err))
		require.Equal(t, &answer, d.find(r).Answer)
		require.Nil(t, d.find(other), "nothing of that batch is kept")
	})

	t.Run("claimed fifty times at once is claimed once", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		r := d.request()
		var won, lost atomic.Int32
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() {
				if err := d.claim(r, uuid.New()); Taken(err) {
					lost.Add(1)
				} else if err == nil {
					won.Add(1)
				}
			})
		}
		group.Wait()
		require.EqualValues(t, 1, won.Load())
		require.EqualValues(t, 49, lost.Load())
	})

	t.Run("is free again when the work was rolled back", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		r := d.request()
		err := d.send(func(b *pgx.Batch) {
			QueueClaim(b, r, uuid.New())
			b.Queue(`select 1/0`)
		})
		require.Error(t, err)
		require.False(t, Taken(err))
		require.NoError(t, d.claim(r, uuid.New()))
	})

	t.Run("is kept for a day, answers and all, until somebody tidies up", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		r, young := d.request(), d.request()
		require.NoError(t, d.claim(r, uuid.New()))
		require.NoError(t, d.store(r, answer))
		d.ages("23 hours")
		require.NoError(t, Purge(t.Context(), d.pool))
		require.Equal(t, &answer, d.find(r).Answer)

		d.ages("2 hours")
		require.NoError(t, d.claim(young, uuid.New()))
		require.Equal(t, &answer, d.find(r).Answer, "or it would be neither answered nor free")
		require.NoError(t, Purge(t.Context(), d.pool))
		require.Nil(t, d.find(r))
		require.NoError(t, d.claim(r, uuid.New()))
		require.NotNil(t, d.find(young))
	})

	t.Run("is one of thousands that are purged", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		_, err := d.pool.Exec(t.Context(), `
			insert into idempotency_keys (account_id, method, path, key, fingerprint, about, claimed_at)
			select gen_random_uuid(), 'POST', '/', n::text, '', gen_random_uuid(), now() - interval '25 hours'
			from generate_series(1, 2500) n`)
		require.NoError(t, err)
		require.NoError(t, Purge(t.Context(), d.pool))
		var left int
		require.NoError(t, d.pool.QueryRow(t.Context(), `select count(*) from idempotency_keys`).Scan(&left))
		require.Zero(t, left)
	})
}
