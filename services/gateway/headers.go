package main

import (
	"net/http"
	"net/http/httputil"
	"strings"

	"banyan/internal/telemetry"
)

// claimed are the prefixes of headers by which some server, somewhere, believes a
// client about who or where it is. Ours believe none of them, and they shall not
// even arrive. Forwarded and X-Forwarded-* are among them; the gateway sets its own.
var claimed = []string{
	"Forwarded", "X-Forwarded", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip",
	"X-User", "X-Account", "X-Identity", "X-Auth", "X-Remote-", "X-Role", "X-Subject", "X-Session",
	"X-Original-", "X-Rewrite-", "X-Http-Method", "X-Method-Override", "Proxy",
}

// isClaim reports whether a header is dropped. A name with an underscore is, too:
// some servers read X_User as X-User.
func isClaim(name string) bool {
	if name[0] != 'X' && name[0] != 'F' && name[0] != 'T' && name[0] != 'C' && name[0] != 'P' {
		return strings.IndexByte(name, '_') >= 0
	}
	for _, prefix := range claimed {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return strings.IndexByte(name, '_') >= 0
}

// rewrite turns the client's request into the one that the upstream gets. It runs
// after ReverseProxy has removed the hop-by-hop headers and those that the client
// nominated in Connection, so nothing that is set here can be stripped by a client.
func rewrite(p *httputil.ProxyRequest) {
	h := hopOf(p.In)
	out := p.Out.Header
	for name := range out {
		if isClaim(name) {
			delete(out, name)
		}
	}
	delete(out, "Expect") // the server has answered it already
	if h.authorization == nil {
		delete(out, "Authorization")
	} else {
		out["Authorization"] = h.authorization
	}
	p.SetXForwarded()
	out["Traceparent"] = []string{telemetry.Traceparent(p.In.Context())}
	out["X-Request-Id"] = []string{h.requestID}

	p.Out.URL.Scheme, p.Out.URL.Host = h.upstream.scheme, h.upstream.host
	p.Out.Host = "" // the upstream's own; the client's is in X-Forwarded-Host
}

// tidy removes from an answer what the monolith's would not have, and what the
// gateway says itself.
func tidy(res *http.Response) error {
	delete(res.Header, "Server")
	delete(res.Header, "X-Request-Id")
	h := hopOf(res.Request)
	h.begin(res)
	if h.onSuccess != nil && res.StatusCode/100 == 2 {
		h.onSuccess()
	}
	return nil
}
