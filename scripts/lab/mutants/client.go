package mutants

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"banyan/scripts/lab/seed"
)

// patience is how long anybody waits for what has to be: long, since a machine may have much else to do.
const patience = time.Minute

// client is somebody who uses the shop.
type client struct {
	http  *http.Client
	base  string
	token string
}

// object is a JSON object.
type object map[string]any

// send makes one request. A status of 0 means that nobody knows what came of it.
func (c *client) send(ctx context.Context, method, path, key string, body, into any) (status int, err error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(encoded))
	if err != nil {
		return 0, err
	}
	request.GetBody = nil // or Go repeats what carries a key by itself
	request.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	if response.StatusCode < 300 && into != nil {
		return response.StatusCode, json.Unmarshal(said, into)
	}
	if response.StatusCode >= 300 {
		err = fmt.Errorf("%s %s was answered with %s: %s", method, path, response.Status, said)
	}
	return response.StatusCode, err
}

// insist repeats a request that is safe to repeat until it succeeds.
func (c *client) insist(ctx context.Context, method, path, key string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		_, err := c.send(ctx, method, path, key, body, into)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %s: %w", patience, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (c *client) signIn(ctx context.Context, email, password string) error {
	var session struct {
		Token string `json:"token"`
	}
	err := c.insist(ctx, http.MethodPost, "/v1/sessions", "", object{"email": email, "password": password}, &session)
	if err != nil {
		return fmt.Errorf("sign in as %s: %w", email, err)
	}
	c.token = session.Token
	return nil
}

// stockUp delivers copies of the bestsellers, enough for all that will be bought, and returns their ids.
func (c *client) stockUp(ctx context.Context, copies int) ([]string, error) {
	if err := c.signIn(ctx, seed.StaffEmail, seed.StaffPassword); err != nil {
		return nil, err
	}
	var best struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	if err := c.insist(ctx, http.MethodGet, "/v1/books/bestsellers", "", nil, &best); err != nil {
		return nil, err
	}
	var books []string
	for _, book := range best.Items[:min(popular, len(best.Items))] {
		err := c.insist(ctx, http.MethodPost, "/v1/stock/"+book.ID+"/deliveries", "mutants", object{"quantity": copies}, nil)
		if err != nil {
			return nil, err
		}
		books = append(books, book.ID)
	}
	return books, nil
}
