package differ

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"banyan/scripts/lab/shop"
)

// Side is one of the two shops.
type Side struct {
	Name, URL string
	client    *shop.Client
}

// player is one side of a sequence: what it was answered so far.
type player struct {
	side     Side
	tokens   map[string]string // by who asks
	answered map[string]string // by the name of a placeholder
}

func newPlayer(side Side) *player {
	tokens := map[string]string{liar: strings.Repeat("A", 43)} // as long as those that are given out
	return &player{side: side, tokens: tokens, answered: map[string]string{}}
}

// ask sends a step, and remembers of the answer what others may refer to.
func (p *player) ask(ctx context.Context, w *world, s Step) (shop.Answer, error) {
	r := shop.Request{
		Method: s.Method, Path: w.fill(s.Path, p.answered), Token: p.tokens[s.As],
		Header: map[string]string{"Accept": ""}, // nothing but what the step says
	}
	if s.Body != "" {
		r.Body = []byte(w.fill(s.Body, p.answered))
	}
	for name, value := range s.Header {
		r.Header[name] = w.fill(value, p.answered)
	}
	said, err := p.side.client.Send(ctx, r)
	if err != nil {
		return said, fmt.Errorf("the %s does not answer %s: %w", p.side.Name, s, err)
	}
	p.remember(s, said)
	return said, nil
}

func (p *player) remember(s Step, said shop.Answer) {
	var content struct {
		ID         string  `json:"id"`
		OrderID    string  `json:"order_id"`
		Token      string  `json:"token"`
		NextCursor *string `json:"next_cursor"`
		Items      []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	_ = json.Unmarshal(said.Body, &content) // what is not there is not remembered
	note := func(what, value string) {
		if value != "" {
			p.answered[fmt.Sprintf("s%d.%s", s.ID, what)] = value
		}
	}
	if content.ID == "" {
		content.ID = content.OrderID
	}
	note("id", content.ID)
	note("etag", said.Header.Get("ETag"))
	if content.NextCursor != nil {
		note("cursor", *content.NextCursor)
	}
	if len(content.Items) > 0 {
		note("item", content.Items[0].ID)
	}
	if content.Token != "" {
		p.tokens[fmt.Sprintf("s%d", s.ID)] = content.Token
	}
}
