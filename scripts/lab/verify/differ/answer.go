package differ

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Side is one of the two shops.
type Side struct{ Name, URL string }

// answer is what a side said.
type answer struct {
	status int
	header http.Header
	body   []byte
}

var client = &http.Client{
	Timeout:       30 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport:     transport(),
}

func transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy, t.MaxIdleConnsPerHost, t.DisableCompression = nil, 64, true
	return t
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
func (p *player) ask(ctx context.Context, w *world, s Step) (answer, error) {
	var body io.Reader
	if s.Body != "" {
		body = strings.NewReader(w.fill(s.Body, p.answered))
	}
	request, err := http.NewRequestWithContext(ctx, s.Method, p.side.URL+w.fill(s.Path, p.answered), body)
	if err != nil {
		return answer{}, fmt.Errorf("make the request %s: %w", s, err)
	}
	if token := p.tokens[s.As]; token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if s.Body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, value := range s.Header {
		if value == "" {
			request.Header.Del(name)
			continue
		}
		request.Header.Set(name, w.fill(value, p.answered))
	}
	response, err := client.Do(request)
	if err != nil {
		return answer{}, fmt.Errorf("the %s does not answer %s: %w", p.side.Name, s, err)
	}
	defer response.Body.Close()
	said := answer{status: response.StatusCode, header: response.Header}
	if said.body, err = io.ReadAll(response.Body); err != nil {
		return answer{}, fmt.Errorf("the answer of the %s to %s breaks off: %w", p.side.Name, s, err)
	}
	p.remember(s, said)
	return said, nil
}

func (p *player) remember(s Step, said answer) {
	var content struct {
		ID         string  `json:"id"`
		OrderID    string  `json:"order_id"`
		Token      string  `json:"token"`
		NextCursor *string `json:"next_cursor"`
		Items      []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	_ = json.Unmarshal(said.body, &content) // what is not there is not remembered
	note := func(what, value string) {
		if value != "" {
			p.answered[fmt.Sprintf("s%d.%s", s.ID, what)] = value
		}
	}
	if content.ID == "" {
		content.ID = content.OrderID
	}
	note("id", content.ID)
	note("etag", said.header.Get("ETag"))
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
