package main

import (
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BenchmarkForward is one small answer through the gateway, with client and upstream in
// the same process. BenchmarkDirect is the same without the gateway, so the difference
// is the hop; BenchmarkBareProxy has a ReverseProxy that does nothing else, so the
// difference to that is what the gateway adds of its own. cpu-µs/op is what counts:
// it holds on a busy machine, too.
func BenchmarkForward(b *testing.B) {
	accounts := newAccounts(b, "s1")
	gateway := setup{
		routes:   exchanging("/v1/things", answering(b)),
		accounts: accounts.URL,
		ttl:      30 * time.Second,
	}.serve(b)
	benchmark(b, gateway.URL)
}

func BenchmarkBareProxy(b *testing.B) {
	target, err := url.Parse(answering(b))
	if err != nil {
		b.Fatal(err)
	}
	bare := &httputil.ReverseProxy{
		Rewrite:    func(p *httputil.ProxyRequest) { p.SetURL(target) },
		Transport:  newTransport(),
		BufferPool: &buffers{},
	}
	benchmark(b, upstreamServer(b, bare.ServeHTTP).URL)
}

func BenchmarkDirect(b *testing.B) { benchmark(b, answering(b)) }

func answering(b *testing.B) string {
	body := strings.Repeat("x", 300)
	return upstreamServer(b, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }).URL
}

func benchmark(b *testing.B, base string) {
	client := &http.Client{Transport: newTransport()}
	defer client.CloseIdleConnections()
	b.ReportAllocs()
	b.SetParallelism(8)
	before := cpuTime(b)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			req, err := http.NewRequest(http.MethodGet, base+"/v1/things/1", nil)
			if err != nil {
				b.Error(err)
				return
			}
			req.Header.Set("Authorization", "Bearer s1")
			res, err := client.Do(req)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, res.Body)
			res.Body.Close()
			if res.StatusCode != http.StatusOK {
				b.Error(res.Status)
				return
			}
		}
	})
	b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

// cpuTime is what this process has used so far, in user and kernel mode.
func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
