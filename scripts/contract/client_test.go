package contract_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"golang.org/x/text/unicode/norm"

	"banyan/docs/api"
)

// document is the contract, parsed once.
var document = sync.OnceValues(func() (*openapi3.T, error) {
	return openapi3.NewLoader().LoadFromData(api.OpenAPI)
})

// newClient makes a client that fails a request whose answer breaks the
// contract. It waits and asks again when it is told 429, as any client should.
func newClient() (*http.Client, error) {
	doc, err := document()
	if err != nil {
		return nil, err
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		return nil, err
	}
	wire := http.DefaultTransport.(*http.Transport).Clone()
	wire.Proxy = nil
	wire.MaxIdleConnsPerHost = 64
	return &http.Client{
		Transport:     &checked{next: patient{wire}, doc: doc, router: router},
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// patient repeats what was throttled, after the time the answer asks for.
type patient struct{ next http.RoundTripper }

func (p patient) RoundTrip(req *http.Request) (*http.Response, error) {
	for {
		resp, err := p.next.RoundTrip(req)
		if err != nil || resp.StatusCode != http.StatusTooManyRequests {
			return resp, err
		}
		seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		if err != nil || (req.Body != nil && req.GetBody == nil) {
			return resp, nil // not asking properly is for the contract to complain about
		}
		resp.Body.Close()
		select {
		case <-time.After(time.Duration(seconds) * time.Second):
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
		if req.GetBody != nil {
			req = req.Clone(req.Context())
			if req.Body, err = req.GetBody(); err != nil {
				return nil, err
			}
		}
	}
}

// checked holds every exchange against the document.
type checked struct {
	next   http.RoundTripper
	doc    *openapi3.T
	router routers.Router
}

func (c *checked) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("the answer broke off: %w", err)
	}
	if err := c.check(req, resp, body); err != nil {
		return nil, fmt.Errorf("the contract is broken by the answer %s\n%s\n%w", resp.Status, body, err)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

func (c *checked) check(req *http.Request, resp *http.Response, body []byte) error {
	route, params, err := c.router.FindRoute(asGet(req))
	switch {
	case req.Method == http.MethodHead && len(body) > 0:
		return errors.New("an answer to HEAD has no body")
	case err != nil && resp.StatusCode == http.StatusBadRequest: // the query comes before the router
		return c.checkRouter(resp, body, http.StatusBadRequest, "MalformedProblem")
	case errors.Is(err, routers.ErrPathNotFound):
		return c.checkRouter(resp, body, http.StatusNotFound, "NotFoundProblem")
	case errors.Is(err, routers.ErrMethodNotAllowed):
		allowed := strings.Split(resp.Header.Get("Allow"), ", ")
		if allowed[0] == "" {
			return errors.New("405 has to say in Allow what is allowed")
		}
		if slices.Contains(allowed, http.MethodGet) != slices.Contains(allowed, http.MethodHead) {
			return errors.New("405 has to allow HEAD wherever it allows GET")
		}
		return c.checkRouter(resp, body, http.StatusMethodNotAllowed, "MethodNotAllowedProblem")
	case err != nil:
		return err
	}

	sent, options := asGet(req).Clone(req.Context()), options
	if req.Method == http.MethodHead {
		options.ExcludeResponseBody = true
	}
	if req.GetBody != nil {
		sent.GetBody = func() (io.ReadCloser, error) { // the document's lengths are those of NFC
			body, err := req.GetBody()
			return io.NopCloser(norm.NFC.Reader(body)), err
		}
		if sent.Body, err = sent.GetBody(); err != nil {
			return err
		}
	}
	asked := &openapi3filter.RequestValidationInput{Request: sent, PathParams: params, Route: route, Options: &options}
	if understood(resp.StatusCode) {
		if err := openapi3filter.ValidateRequest(req.Context(), asked); err != nil {
			return fmt.Errorf("a request was accepted that the contract forbids: %w", err)
		}
	}
	answered := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: asked, Status: resp.StatusCode, Header: resp.Header, Options: &options,
	}
	return openapi3filter.ValidateResponse(req.Context(), answered.SetBodyBytes(body))
}

// asGet is a request as the document knows it, which leaves out that HEAD answers wherever GET does.
func asGet(req *http.Request) *http.Request {
	if req.Method != http.MethodHead {
		return req
	}
	get := *req
	get.Method = http.MethodGet
	return &get
}

// checkRouter checks an answer that no operation gives, only the router.
func (c *checked) checkRouter(resp *http.Response, body []byte, status int, schema string) error {
	if resp.StatusCode != status {
		return fmt.Errorf("no operation is here, so the status has to be %d", status)
	}
	if got := resp.Header.Get("Content-Type"); got != "application/problem+json" {
		return fmt.Errorf("the router's errors are application/problem+json too, not %q", got)
	}
	if resp.Request.Method == http.MethodHead {
		return nil
	}
	var problem any
	if err := json.Unmarshal(body, &problem); err != nil {
		return fmt.Errorf("the body is not JSON: %w", err)
	}
	return c.doc.Components.Schemas[schema].Value.VisitJSON(problem, openapi3.VisitAsResponse())
}

// understood tells the answers that a request gets only if nothing is wrong with
// it: success, and the refusals that depend on the state of the shop.
func understood(status int) bool {
	switch status {
	case http.StatusPaymentRequired, http.StatusConflict, http.StatusPreconditionFailed:
		return true
	}
	return status < 300
}

var options = openapi3filter.Options{
	IncludeResponseStatus:             true, // an undocumented status is an error
	MultiError:                        true,
	SkipSettingDefaults:               true,
	RejectWhenRequestBodyNotSpecified: true,
	AuthenticationFunc:                bearerSent,
	SchemaValidationOptions: []openapi3.SchemaValidationOption{
		openapi3.WithStringFormatValidator("uuid", openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringForUUIDOfRFC9562)),
	},
}

// bearerSent fails what succeeded without a token where one is needed.
func bearerSent(_ context.Context, in *openapi3filter.AuthenticationInput) error {
	if in.RequestValidationInput.Request.Header.Get("Authorization") == "" {
		return errors.New("no token was sent")
	}
	return nil
}
