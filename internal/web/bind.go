package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"banyan/internal/fault"
)

var errMedia = fault.New(fault.UnsupportedMedia, "", "Send the body as application/json.")

// Bind reads a JSON body into the struct, strictly: an unknown field, one that comes
// twice, a wrong type or trailing data is Malformed and names the field. Text is put
// into NFC, unless its field has the tag text:"verbatim". If the struct has a Validate
// method, it then says whether what was read is acceptable.
func Bind(c echo.Context, into any) error {
	return BindAs(c, into, echo.MIMEApplicationJSON)
}

// BindAs is Bind for these content types.
func BindAs(c echo.Context, into any, types ...string) error {
	return read(c.Request(), into, types...)
}

// Read is Bind where no Echo is, as on an ops port. The caller bounds the body.
func Read(r *http.Request, into any) error { return read(r, into, echo.MIMEApplicationJSON) }

func read(r *http.Request, into any, types ...string) error {
	sent, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	if err != nil || !slices.Contains(types, sent) {
		return errMedia.WithDetail("Send the body as " + types[0] + ".")
	}
	// Nothing is ever inflated: a few bytes could become gigabytes.
	if coding := r.Header.Get(echo.HeaderContentEncoding); coding != "" && coding != "identity" {
		return errMedia.WithDetail("Send the body as it is, without a Content-Encoding.")
	}
	body, err := bodyOf(r)
	if err != nil {
		return err
	}
	return decode(body, into)
}

// Body reads the request's body and puts it back, so that it can be read again.
// It is Malformed if the client breaks off.
func Body(c echo.Context) ([]byte, error) { return bodyOf(c.Request()) }

func bodyOf(req *http.Request) ([]byte, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, fmt.Errorf("read the body: %w", Fault(bodyError(err)))
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	return body, nil
}

func bodyError(err error) error {
	if Fault(err).Kind == fault.Internal {
		return fault.New(fault.Malformed, "", "The body broke off.").Because(err)
	}
	return err
}

func decode(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return unreadable(err, func() string { return blame(body, into) })
	}
	if _, err := d.Token(); err != io.EOF {
		return malformed("body", "has something after its end")
	}
	if err := checkKeys(body, into); err != nil {
		return err
	}
	normalise(reflect.ValueOf(into))
	if v, ok := into.(interface{ Validate() error }); ok {
		return v.Validate()
	}
	return nil
}

// unreadable names the field that encoding/json stumbled over. Of a field that
// reads itself, such as Optional, it does not know the name, and blame has to.
func unreadable(err error, blame func() string) error {
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong):
		field := wrong.Field
		if field == "" {
			field = blame()
		}
		return malformed(field, "must be "+kindName(wrong.Type.Kind().String())+", not "+wrong.Value)
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		name, _ := strconv.Unquote(strings.TrimPrefix(err.Error(), "json: unknown field "))
		return malformed(name, "is not a field of this request")
	}
	return malformed("body", "is not valid JSON")
}

// blame finds the first field of the body that cannot be read on its own.
func blame(body []byte, into any) string {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return "body"
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		alone, err := json.Marshal(map[string]json.RawMessage{name: fields[name]})
		if err != nil {
			continue
		}
		if json.Unmarshal(alone, reflect.New(reflect.TypeOf(into).Elem()).Interface()) != nil {
			return name
		}
	}
	return "body"
}

func kindName(k string) string {
	switch {
	case strings.HasPrefix(k, "int"), strings.HasPrefix(k, "uint"):
		return "a whole number"
	case k == "slice", k == "array":
		return "a list"
	case k == "struct", k == "map":
		return "an object"
	case k == "bool":
		return "true or false"
	}
	return "a " + k
}

func malformed(field, detail string) error {
	return fault.New(fault.Malformed, "", "The request cannot be read.").
		WithFields(fault.Field{Name: field, Detail: detail})
}

// PathID reads a path parameter that must be a UUID in its usual form.
func PathID(c echo.Context, name string) (uuid.UUID, error) { return parseID(name, c.Param(name)) }

// QueryID reads an optional query parameter that must be a UUID; absent is uuid.Nil.
func QueryID(c echo.Context, name string) (uuid.UUID, error) {
	v := c.QueryParam(name)
	if v == "" {
		return uuid.Nil, nil
	}
	return parseID(name, v)
}

// QueryIDs reads an optional comma-separated list of at most `most` UUIDs, each once.
func QueryIDs(c echo.Context, name string, most int) ([]uuid.UUID, error) {
	v := c.QueryParam(name)
	if v == "" {
		return nil, nil
	}
	parts := strings.Split(v, ",")
	if len(parts) > most {
		return nil, fault.New(fault.Invalid, "", "Some of the input is not acceptable.").
			WithFields(fault.Field{Name: name, Detail: fmt.Sprintf("may hold at most %d ids", most)})
	}
	ids := make([]uuid.UUID, 0, len(parts))
	for _, p := range parts {
		id, err := parseID(name, p)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func parseID(name, value string) (uuid.UUID, error) {
	// uuid.Parse also takes braces and URNs, which are no ids of ours.
	if len(value) == 36 {
		if id, err := uuid.Parse(value); err == nil {
			return id, nil
		}
	}
	return uuid.Nil, malformed(name, "must be a UUID")
}

// Optional is a field that tells absent from null, which a merge patch
// (RFC 7396) needs.
type Optional[T any] struct {
	Set   bool // the field was there
	Null  bool // and was null
	Value T
}

// UnmarshalJSON is called only for fields that are there.
func (o *Optional[T]) UnmarshalJSON(b []byte) error {
	o.Set = true
	if string(b) == "null" {
		o.Null = true
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(&o.Value)
}
