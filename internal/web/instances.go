package web

import (
	"cmp"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// passOver is for how long an instance is left alone that could not be connected to, or said that it is about to
// stop. It is longer than a process lingers, so that nobody comes back just as it closes its doors.
const passOver = 2 * time.Second

// instances are the processes that a service has, taken in turn. In production one name stands for all of them: it
// resolves to several addresses, or a Kubernetes Service or a mesh is behind it and chooses. Then there is one here.
type instances struct {
	all  []*instance
	turn atomic.Uint32
}

// instance is one process, with connections of its own, so that they can be let go together.
type instance struct {
	base   string
	http   *http.Client
	passed atomic.Int64 // Unix nanoseconds until which it is passed over
}

// newInstances reads addresses that are separated by commas. Half of a call's time is enough for a connection: the
// other half is for the next instance.
func newInstances(addresses string, timeout time.Duration) *instances {
	var s instances
	for base := range strings.SplitSeq(addresses, ",") {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.Proxy = nil
		t.DialContext = (&net.Dialer{Timeout: timeout / 2, KeepAlive: 30 * time.Second}).DialContext
		t.MaxIdleConnsPerHost = 64
		t.DisableCompression = true
		s.all = append(s.all, &instance{
			base: strings.TrimSuffix(strings.TrimSpace(base), "/"),
			http: &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse // a service that redirects is a mistake, not an instruction
			}},
		})
	}
	return &s
}

// queue is the instances as the next call should try them: in turn, but those that are passed over last, longest
// since first. They are tried all the same when nobody else is there: that is how to learn that one is back.
func (s *instances) queue() []*instance {
	if len(s.all) == 1 {
		return s.all
	}
	first := int(s.turn.Add(1)-1) % len(s.all)
	queue := slices.Concat(s.all[first:], s.all[:first])
	now := time.Now().UnixNano()
	slices.SortStableFunc(queue, func(a, b *instance) int {
		return cmp.Compare(max(a.passed.Load(), now), max(b.passed.Load(), now))
	})
	return queue
}

// do sends the request that the function makes for one instance after the other, until one could be connected to. Up
// to there nothing was sent, but perhaps on an idle connection that was just being closed. An instance that has been
// asked and gives no answer is not followed by another: whether to go on asking is for the caller to say.
func (s *instances) do(request func(base string) (*http.Request, error)) (res *http.Response, err error) {
	for _, i := range s.queue() {
		var req *http.Request
		if req, err = request(i.base); err != nil {
			return nil, err
		}
		res, err = i.http.Do(req)
		if unreachable(err) {
			i.pass()
			continue
		}
		if err == nil && res.Close {
			// A client may close what is idle, for it knows that it has sent nothing; the server doesn't.
			i.http.CloseIdleConnections()
			i.pass()
		}
		break
	}
	if err != nil {
		return nil, errAway.Because(err)
	}
	return res, nil
}

func (i *instance) pass() { i.passed.Store(time.Now().Add(passOver).UnixNano()) }

// unreachable reports whether there was no connection to send anything on.
func unreachable(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
