package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"banyan/internal/fault"
)

const (
	shadowWorkers  = 4  // copies that are asked for at once
	shadowQueue    = 64 // copies that wait for a worker; one more is dropped
	shadowAgain    = 64 // differences that wait to be asked about again; one more is dropped
	shadowKept     = 20 // differences that are kept to be read
	shadowCut      = 1 << 10
	shadowBody     = 256 << 10 // bytes of an answer; what is larger is not compared
	shadowTimeout  = 3 * time.Second
	shadowPatience = time.Second // after which a difference has to be there still
)

// shadowRequest says what is compared.
type shadowRequest struct {
	Prefix   string    `json:"prefix"`   // of the table; its GETs are copied
	Upstream string    `json:"upstream"` // the second one, which is asked the same
	Token    string    `json:"token"`    // what it gets of a session token: tokenPass or tokenExchange
	Share    float64   `json:"share"`    // of the requests, more than 0 and up to 1
	Ignore   []ignored `json:"ignore,omitempty"`
	Except   []except  `json:"except,omitempty"`
}

// ignored is a place in JSON bodies that may differ, and why. A star is any element of a list, or any member.
type ignored struct {
	Path   string `json:"path"` // such as items.*.available
	Reason string `json:"reason"`
}

// except is a part of the route whose answers may differ as a whole, and why. It is not copied.
type except struct {
	Prefix string `json:"prefix"` // such as /v1/books/bestsellers
	Reason string `json:"reason"`
}

var ignoredForm = regexp.MustCompile(`^(\*|[A-Za-z0-9_-]+)(\.(\*|[A-Za-z0-9_-]+))*$`)

// check returns all that is wrong with the request in one error.
func (s *shadowRequest) check(t *table) error {
	problem := fault.New(fault.Invalid, "", "This can't be compared.")
	wrong := func(field, format string, args ...any) {
		problem = problem.WithFields(fault.Field{Name: field, Detail: fmt.Sprintf(format, args...)})
	}
	if !slices.Contains(t.prefixes(), s.Prefix) {
		wrong("prefix", "%q is no prefix of the table", s.Prefix)
	}
	if _, _, err := baseAddress(s.Upstream); err != nil {
		wrong("upstream", "%s", err)
	}
	switch {
	case s.Token != tokenPass && s.Token != tokenExchange:
		wrong("token", "is %q; it must be %q or %q", s.Token, tokenPass, tokenExchange)
	case s.Token == tokenExchange && t.exchange == nil:
		wrong("token", "the table says nowhere where tokens are exchanged")
	}
	if s.Share <= 0 || s.Share > 1 {
		wrong("share", "must be more than 0 and up to 1")
	}
	for _, one := range s.Ignore {
		if !ignoredForm.MatchString(one.Path) {
			wrong("ignore", "%q must be like items.*.available", one.Path)
		}
		if one.Reason == "" {
			wrong("ignore", "%q needs a reason", one.Path)
		}
	}
	for _, one := range s.Except {
		if rest, within := strings.CutPrefix(one.Prefix, s.Prefix); !within || rest == "" || rest[0] != '/' {
			wrong("except", "%q is no part of %q", one.Prefix, s.Prefix)
		}
		if one.Reason == "" {
			wrong("except", "%q needs a reason", one.Prefix)
		}
	}
	if len(problem.Fields) > 0 {
		return problem
	}
	return nil
}

// shadowCounts are what came of copies.
type shadowCounts struct{ sent, equal, different, dropped, failed atomic.Int64 }

// shadow asks a second upstream what customers have asked the first, and compares the answers. A customer never waits for it:
// it begins when the customer has been answered, does only so much at once, and drops what is more.
type shadow struct {
	shadowRequest
	gateway *gateway
	second  *upstream
	copies  chan *shadowed
	again   chan struct{} // a place for each difference that waits
	counts  shadowCounts

	ctx  context.Context
	end  context.CancelFunc
	work sync.WaitGroup

	mu          sync.Mutex
	differences []difference
}

// shadowed is a GET that a customer has sent, and its answer.
type shadowed struct {
	uri, remote   string
	requestID     string
	header        http.Header // of what the customer sent, the part that goes along
	authorization []string    // the customer's own
	trace         context.Context
	answer        *copied
}

// startShadow compares from now on, instead of what was compared before.
func (g *gateway) startShadow(req shadowRequest) error {
	if err := req.check(g.table.Load()); err != nil {
		return err
	}
	scheme, host, err := baseAddress(req.Upstream)
	if err != nil {
		return err
	}
	s := &shadow{
		shadowRequest: req, gateway: g, second: newUpstream(scheme, host),
		copies: make(chan *shadowed, shadowQueue), again: make(chan struct{}, shadowAgain),
	}
	s.ctx, s.end = context.WithCancel(context.Background())
	for range shadowWorkers {
		s.work.Go(s.run)
	}
	if before := g.shadow.Swap(s); before != nil {
		before.stop()
	}
	return nil
}

// stop ends the comparison, and returns when nothing of it is under way.
func (s *shadow) stop() {
	s.end()
	s.work.Wait()
	s.second.transport.CloseIdleConnections()
}

// stopShadow ends what is compared, and returns it. It is nil if nothing was.
func (g *gateway) stopShadow() *shadow {
	s := g.shadow.Swap(nil)
	if s != nil {
		s.stop()
	}
	return s
}

// wants decides whether a request is copied. What asks for a part, or for something newer, is not: its answer says little.
func (s *shadow) wants(r *http.Request, to *route) bool {
	return s != nil && r.Method == http.MethodGet && to.Prefix == s.Prefix &&
		r.Header.Get("If-None-Match") == "" && r.Header.Get("If-Modified-Since") == "" && r.Header.Get("Range") == "" &&
		!slices.ContainsFunc(s.Except, func(e except) bool { return within(r.URL.Path, e.Prefix) }) &&
		rand.Float64() < s.Share
}

// within says whether a path is at or below a prefix of whole segments.
func within(path, prefix string) bool {
	rest, below := strings.CutPrefix(path, prefix)
	return below && (rest == "" || rest[0] == '/')
}

// offer takes a request that was answered, unless there are too many.
func (s *shadow) offer(r *http.Request, requestID string, answer *copied) {
	if answer.tooLarge {
		s.count(dropped)
		return
	}
	answer.header = answer.Header()
	one := &shadowed{
		uri: r.URL.RequestURI(), remote: address(r.RemoteAddr).String(), requestID: requestID, header: http.Header{},
		authorization: r.Header["Authorization"], trace: context.WithoutCancel(r.Context()), answer: answer,
	}
	for _, name := range []string{"Accept", "Accept-Language", "User-Agent"} {
		if values := r.Header[name]; values != nil {
			one.header[name] = values
		}
	}
	select {
	case s.copies <- one:
	default:
		s.count(dropped)
	}
}

// run asks for copies until the comparison ends.
func (s *shadow) run() {
	for {
		select {
		case one := <-s.copies:
			if s.ctx.Err() == nil {
				s.compare(one)
			}
		case <-s.ctx.Done():
			return
		}
	}
}

// compare asks the second upstream once. A difference may only mean that something changed in between, so both are asked again
// a second later, and it counts if there is one still.
func (s *shadow) compare(one *shadowed) {
	s.count(sent)
	second, err := s.askSecond(one)
	switch {
	case s.ctx.Err() != nil:
		return
	case err != nil:
		s.count(failed)
		return
	case len(differ(&one.answer.said, second, s.Ignore)) == 0:
		s.count(equal)
		return
	}
	select {
	case s.again <- struct{}{}:
	default:
		s.count(dropped)
		return
	}
	s.work.Go(func() {
		defer func() { <-s.again }()
		select {
		case <-time.After(shadowPatience):
			s.compareAgain(one)
		case <-s.ctx.Done():
		}
	})
}

func (s *shadow) compareAgain(one *shadowed) {
	first, err := s.askFirst(one)
	var second *said
	if err == nil {
		second, err = s.askSecond(one)
	}
	if s.ctx.Err() != nil {
		return
	}
	if err != nil {
		s.count(failed)
		return
	}
	what := differ(first, second, s.Ignore)
	if len(what) == 0 {
		s.count(equal)
		return
	}
	s.count(different)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.differences) < shadowKept {
		s.differences = append(s.differences, difference{
			Method: http.MethodGet, Path: one.uri, RequestID: one.requestID, What: what, First: cut(first.body), Second: cut(second.body),
		})
	}
}

// askFirst asks as a customer is answered: by the table that is in force.
func (s *shadow) askFirst(one *shadowed) (*said, error) {
	table := s.gateway.table.Load()
	i := slices.IndexFunc(table.routes, func(r *route) bool { return r.Prefix == s.Prefix })
	if i < 0 {
		return nil, errAway
	}
	return s.ask(one, table.routes[i], table.exchange, table.routes[i].pick())
}

func (s *shadow) askSecond(one *shadowed) (*said, error) {
	at := s.gateway.table.Load().exchange
	if at == nil && s.Token == tokenExchange {
		return nil, errAway // a later table says nowhere where
	}
	return s.ask(one, &route{Token: s.Token}, at, s.second)
}

// shadowOutcome is what came of one copy.
type shadowOutcome func(*shadowCounts) *atomic.Int64

func sent(c *shadowCounts) *atomic.Int64      { return &c.sent }
func equal(c *shadowCounts) *atomic.Int64     { return &c.equal }
func different(c *shadowCounts) *atomic.Int64 { return &c.different }
func dropped(c *shadowCounts) *atomic.Int64   { return &c.dropped }
func failed(c *shadowCounts) *atomic.Int64    { return &c.failed }

// count counts for this comparison, and for all that the gateway has made.
func (s *shadow) count(what shadowOutcome) {
	what(&s.counts).Add(1)
	what(&s.gateway.shadows).Add(1)
}

// difference is one that was there when both were asked again.
type difference struct {
	Method    string   `json:"method"`
	Path      string   `json:"path"`
	RequestID string   `json:"request_id"` // of the customer's request
	What      []string `json:"what"`
	First     string   `json:"first"` // bodies, cut
	Second    string   `json:"second"`
}

func cut(body []byte) string { return string(body[:min(len(body), shadowCut)]) }

// shadowState is what the ops port says of a comparison. One that does not run has no prefix.
type shadowState struct {
	shadowRequest
	Sent        int64        `json:"sent"`
	Equal       int64        `json:"equal"`
	Different   int64        `json:"different"`
	Dropped     int64        `json:"dropped"` // there was more than could be compared
	Failed      int64        `json:"failed"`  // one of the two could not be asked
	Differences []difference `json:"differences"`
}

func (s *shadow) state() shadowState {
	if s == nil {
		return shadowState{Differences: []difference{}}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return shadowState{
		shadowRequest: s.shadowRequest,
		Sent:          s.counts.sent.Load(), Equal: s.counts.equal.Load(), Different: s.counts.different.Load(),
		Dropped: s.counts.dropped.Load(), Failed: s.counts.failed.Load(), Differences: append([]difference{}, s.differences...),
	}
}
