package main

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"banyan/internal/fault"
	"banyan/internal/web"
)

// maxOpsBody bounds what an operator may send, in bytes.
const maxOpsBody = 1 << 20

// endpoints are the gateway's own ones on the ops port, by their patterns. With them it is told of a change of what is
// behind it, while customers are asking.
func (g *gateway) endpoints() map[string]http.Handler {
	return map[string]http.Handler{
		"GET /routes":             endpoint(g.showRoutes),
		"PUT /routes":             endpoint(g.putRoutes),
		"GET /hold":               endpoint(g.showHold),
		"POST /hold":              endpoint(g.postHold),
		"DELETE /hold":            endpoint(g.deleteHold),
		"POST /connections/close": endpoint(g.closeConnections),
		"GET /shadow":             endpoint(g.showShadow),
		"PUT /shadow":             endpoint(g.putShadow),
		"DELETE /shadow":          endpoint(g.deleteShadow),
	}
}

var errNotJSON = fault.New(fault.UnsupportedMedia, "", "Say Content-Type: application/json, so that no page in a browser can ask for this.")

// endpoint answers with the problem if there is an error. What changes something has to come as JSON: a page in an operator's
// browser may send a form or plain text to any address that the browser reaches, but JSON only after a preflight request
// (CORS), to which nobody here consents.
func endpoint(h func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			if sent, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || sent != "application/json" {
				web.WriteProblem(w, errNotJSON)
				return
			}
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxOpsBody)
		if err := h(w, r); err != nil {
			web.WriteProblem(w, err)
		}
	})
}

func answerJSON(w http.ResponseWriter, value any) error {
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(value)
}

func (g *gateway) showRoutes(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json")
	_, err := w.Write(g.table.Load().text)
	return err
}

func (g *gateway) putRoutes(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if err := g.replace(body); err != nil {
		return badTable(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (g *gateway) showHold(w http.ResponseWriter, _ *http.Request) error {
	return answerJSON(w, g.gate.state())
}

type holdRequest struct {
	Routes []string `json:"routes"`
	For    string   `json:"for"` // a duration, such as 6s
}

func (g *gateway) postHold(w http.ResponseWriter, r *http.Request) error {
	var req holdRequest
	if err := web.Read(r, &req); err != nil {
		return err
	}
	atMost, err := time.ParseDuration(req.For)
	if err != nil || atMost <= 0 || atMost > maxHold {
		return fault.New(fault.Invalid, "", "A hold has to say when it lets go by itself.").
			WithFields(fault.Field{Name: "for", Detail: fmt.Sprintf("must be a time up to %s, such as 6s, and not %q", maxHold, req.For)})
	}
	if len(req.Routes) == 0 {
		return fault.New(fault.Invalid, "", "A hold has to say what it holds.").
			WithFields(fault.Field{Name: "routes", Detail: "must list prefixes, or methods and prefixes, such as /v1/cart or POST /v1/orders"})
	}
	if err := g.gate.hold(req.Routes, atMost); err != nil {
		return err
	}
	return answerJSON(w, g.gate.state())
}

func (g *gateway) deleteHold(w http.ResponseWriter, r *http.Request) error {
	g.gate.end(r.Context())
	return answerJSON(w, g.gate.state())
}

func (g *gateway) closeConnections(w http.ResponseWriter, r *http.Request) error {
	var req struct {
		Upstream string `json:"upstream"`
	}
	if err := web.Read(r, &req); err != nil {
		return err
	}
	if !g.table.Load().closeIdle(req.Upstream) {
		return fault.New(fault.NotFound, "", "The table of routes names no such upstream.").
			WithFields(fault.Field{Name: "upstream", Detail: fmt.Sprintf("%q is in no route, and exchanges no tokens", req.Upstream)})
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (g *gateway) showShadow(w http.ResponseWriter, _ *http.Request) error {
	return answerJSON(w, g.shadow.Load().state())
}

func (g *gateway) putShadow(w http.ResponseWriter, r *http.Request) error {
	var req shadowRequest
	if err := web.Read(r, &req); err != nil {
		return err
	}
	if err := g.startShadow(req); err != nil {
		return err
	}
	return g.showShadow(w, r)
}

func (g *gateway) deleteShadow(w http.ResponseWriter, _ *http.Request) error {
	return answerJSON(w, g.stopShadow().state())
}
