package workload

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"banyan/scripts/lab/shop"
)

// Use asks whether each keepsake still does what the contract says, and may be called as often as wanted. It asks once for
// each and has no patience: its error names all that do not work, a sentence each.
func (k *Keepsakes) Use(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	client, err := shop.New(shop.Options{Raw: true}, k.url) // connections of the last time may have been closed for idling
	if err != nil {
		return err
	}
	defer client.Close()
	var found []error
	check := func(what string, err error) {
		if err != nil {
			found = append(found, fmt.Errorf("%s: %w", what, err))
		}
	}
	check("the session that was begun before does not work any more", k.useSession(ctx, client))
	check("the session that had ended before works again", k.useEnded(ctx, client))
	for _, one := range k.answers {
		check(fmt.Sprintf("the idempotency key of the %s that was made before does not repeat its answer", one.what), one.use(ctx, client))
		check(fmt.Sprintf("the idempotency key of the %s that was made before is not held to its body", one.what), one.misuse(ctx, client))
	}
	for _, one := range k.lists {
		check(fmt.Sprintf("the cursor of %s that was got before does not go on", one.path), one.use(ctx, client))
	}
	check("the ETag of a book that was got before does not hold", k.useETags(ctx, client))
	check("the cart that was filled before is not as it was", k.useCart(ctx, client))
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errors.Join(found...)
}

// askFor makes a request that has to be answered with this status, and with this code if it is a problem.
func askFor(ctx context.Context, client *shop.Client, r shop.Request, status int, code string) (shop.Answer, error) {
	said, err := client.Send(ctx, r)
	switch {
	case err != nil:
		return said, fmt.Errorf("%s: %w", r, err)
	case said.Status != status || said.Code() != code:
		return said, fmt.Errorf("%s was not answered with %s: %w", r, wanted(status, code), said.Err())
	}
	return said, nil
}

func wanted(status int, code string) string {
	if code == "" {
		return fmt.Sprint(status)
	}
	return fmt.Sprintf("%d %s", status, code)
}

func (k *Keepsakes) useSession(ctx context.Context, client *shop.Client) error {
	said, err := askFor(ctx, client, shop.Request{Method: http.MethodGet, Path: "/v1/accounts/me", Token: k.session}, http.StatusOK, "")
	if err != nil {
		return err
	}
	return checkAccount(k.email)(said.Body)
}

// endedWithin is how long a token may work after its session has ended, and a second for the way.
const endedWithin = 31 * time.Second

func (k *Keepsakes) useEnded(ctx context.Context, client *shop.Client) error {
	if time.Since(k.endedAt) < endedWithin {
		return nil
	}
	r := shop.Request{Method: http.MethodGet, Path: "/v1/accounts/me", Token: k.ended}
	_, err := askFor(ctx, client, r, http.StatusUnauthorized, "unauthenticated")
	return err
}

// use repeats a request under its key.
func (one kept) use(ctx context.Context, client *shop.Client) error {
	said, err := client.Send(ctx, one.request)
	if err != nil {
		return fmt.Errorf("%s: %w", one.request, err)
	}
	if !one.answer.Same(said) {
		return fmt.Errorf("%s was answered with %s (%s, %s), and before with %s (%s, %s)", one.request,
			said, said.ContentType(), said.Location(), one.answer, one.answer.ContentType(), one.answer.Location())
	}
	return nil
}

// misuse sends another body under the key: one more space is enough.
func (one kept) misuse(ctx context.Context, client *shop.Client) error {
	r := one.request
	r.Body = append(slices.Clone(r.Body.([]byte)), ' ')
	_, err := askFor(ctx, client, r, http.StatusUnprocessableEntity, "key-reused")
	return err
}

// use follows a cursor to the end of its list.
func (one list) use(ctx context.Context, client *shop.Client) error {
	var found []string
	for next := &one.cursor; next != nil && len(found) <= len(one.left); {
		r := shop.Request{Method: http.MethodGet, Path: byOne(one.path) + "&cursor=" + url.QueryEscape(*next), Token: one.token}
		said, err := askFor(ctx, client, r, http.StatusOK, "")
		if err != nil {
			return err
		}
		var page shop.List[entry]
		if err := said.Read(&page); err != nil {
			return fmt.Errorf("%s: %w", r, err)
		}
		for _, e := range page.Items {
			found = append(found, e.ID)
		}
		next = page.NextCursor
	}
	if !slices.Equal(found, one.left) {
		return fmt.Errorf("it leads to %v, and has to lead to %v", found, one.left)
	}
	return nil
}

// useETags sees whether the book has its ETag, a change by an outdated one is refused, and a change by the right one is made.
func (k *Keepsakes) useETags(ctx context.Context, client *shop.Client) error {
	said, err := askFor(ctx, client, shop.Request{Method: http.MethodGet, Path: "/v1/books/" + k.bookID}, http.StatusOK, "")
	if err != nil {
		return err
	}
	if got := said.Header.Get("ETag"); got != k.etag {
		return fmt.Errorf("book %s has the ETag %s, and had %s", k.bookID, got, k.etag)
	}
	outdated, right := changeOf(k.bookID, k.oldETag), changeOf(k.bookID, k.etag)
	outdated.Token, right.Token = k.staff, k.staff
	if _, err := askFor(ctx, client, outdated, http.StatusPreconditionFailed, "book-changed"); err != nil {
		return err
	}
	if said, err = askFor(ctx, client, right, http.StatusOK, ""); err != nil {
		return err
	}
	got := said.Header.Get("ETag")
	if got == "" || got == k.etag {
		return fmt.Errorf("book %s has the ETag %q after a change, as before it", k.bookID, got)
	}
	k.oldETag, k.etag = k.etag, got
	return nil
}

func (k *Keepsakes) useCart(ctx context.Context, client *shop.Client) error {
	said, err := askFor(ctx, client, shop.Request{Method: http.MethodGet, Path: "/v1/cart", Token: k.session}, http.StatusOK, "")
	if err != nil {
		return err
	}
	var cart shop.Cart
	if err := said.Read(&cart); err != nil {
		return err
	}
	if len(cart.Items) != 1 || cart.Items[0].BookID != k.bookID || cart.Items[0].Quantity != k.inCart {
		return fmt.Errorf("it held %d copies of book %s, and holds %v", k.inCart, k.bookID, cart.Items)
	}
	return checkCart(nil)(said.Body)
}
