package rolling

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

const (
	requestTime = 15 * time.Second // the gateway gives up before
	passOver    = 2 * time.Second  // for a gateway that can't be connected to, or says it is about to stop
)

// fronts are the gateways, as a load balancer in front of them would use them.
type fronts struct {
	all   []*front
	turn  atomic.Uint32
	moved atomic.Int64 // requests that went to the next gateway, since one could not be connected to
}

// front is one gateway, with connections of its own.
type front struct {
	url    string
	http   *http.Client
	passed atomic.Int64 // Unix nanoseconds
}

func newFronts(urls []string, customers int) *fronts {
	f := &fronts{}
	for _, url := range urls {
		wire := http.DefaultTransport.(*http.Transport).Clone()
		wire.Proxy = nil
		wire.MaxIdleConns, wire.MaxIdleConnsPerHost = 0, customers
		f.all = append(f.all, &front{url: url, http: &http.Client{Transport: wire, Timeout: requestTime}})
	}
	return f
}

func (f *fronts) close() {
	for _, front := range f.all {
		front.http.CloseIdleConnections()
	}
}

// request is what a customer wants to know.
type request struct {
	method, path string
	token, key   string
	body         any
}

func (r request) String() string { return r.method + " " + r.path }

// answer is what the shop said, to the byte.
type answer struct {
	status   int
	location string
	problem  bool
	body     []byte
}

// send asks one gateway, and the next one if there is no connection to the first: nothing was sent then. An error
// means that nobody knows what came of the request.
func (f *fronts) send(ctx context.Context, r request) (said answer, err error) {
	first := int(f.turn.Add(1))
	now := time.Now().UnixNano()
	var order, passed []*front
	for i := range f.all {
		if front := f.all[(first+i)%len(f.all)]; front.passed.Load() > now {
			passed = append(passed, front)
		} else {
			order = append(order, front)
		}
	}
	for _, front := range append(order, passed...) {
		said, err = front.send(ctx, r)
		var op *net.OpError
		if errors.As(err, &op) && op.Op == "dial" {
			front.pass()
			f.moved.Add(1)
			continue
		}
		return said, err
	}
	return said, err
}

func (f *front) pass() { f.passed.Store(time.Now().Add(passOver).UnixNano()) }

func (f *front) send(ctx context.Context, r request) (answer, error) {
	var content io.Reader
	if r.body != nil {
		encoded, err := json.Marshal(r.body)
		if err != nil {
			return answer{}, err
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, r.method, f.url+r.path, content)
	if err != nil {
		return answer{}, err
	}
	if r.body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if r.token != "" {
		request.Header.Set("Authorization", "Bearer "+r.token)
	}
	if r.key != "" {
		request.Header.Set("Idempotency-Key", r.key)
		// Go's own client repeats a request that carries a key when its connection dies. Here that is a failure.
		request.GetBody = nil
	}
	response, err := f.http.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	if response.Close {
		f.pass()
		f.http.CloseIdleConnections()
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, fmt.Errorf("the answer broke off: %w", err)
	}
	problem := strings.HasPrefix(response.Header.Get("Content-Type"), "application/problem+json")
	return answer{response.StatusCode, response.Header.Get("Location"), problem, body}, nil
}

// unanswered says that the shop has not said what became of a request, and that asking again is right.
func (a answer) unanswered() bool {
	switch a.status {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// code is a problem's code, such as sold-out; empty if the answer is none.
func (a answer) code() string {
	var problem struct {
		Type string `json:"type"`
	}
	if !a.problem || json.Unmarshal(a.body, &problem) != nil {
		return ""
	}
	return problem.Type[strings.LastIndex(problem.Type, ":")+1:]
}

func (a answer) String() string {
	const most = 300
	text := string(a.body)
	if len(text) > most {
		text = text[:most] + " …"
	}
	return fmt.Sprintf("%d %s: %s", a.status, http.StatusText(a.status), text)
}

// pause waits, and returns an error if ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
