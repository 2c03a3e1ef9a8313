package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"banyan/internal/fault"
)

// Event is something that happened, as one CloudEvents 1.0 event.
type Event struct {
	ID     uuid.UUID
	Type   string    // what happened, such as account.registered
	Source string    // the process that told of it; for people, nothing may depend on it
	Time   time.Time // when it was written, by the clock of the source's database
	Trace  string    // the W3C traceparent of the work that caused it, or ""
	Data   json.RawMessage
}

// The headers of the CloudEvents NATS binding, in its binary mode
// (https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/nats-protocol-binding.md).
// They are written in lower case and read in any: NATS compares keys by case,
// and what passes them on was seen to change it.
const (
	headerSpecVersion = "ce-specversion"
	headerID          = "ce-id"
	headerType        = "ce-type"
	headerSource      = "ce-source"
	headerTime        = "ce-time"
	headerTrace       = "traceparent"
	headerContentType = "content-type"

	specVersion = "1.0"
)

// subject is where an event of this type is published. It names the area, not
// the process: consumers filter by type alone, so an area can move to another
// process without any of them noticing.
func subject(area, typ string) string { return "events." + area + "." + typ }

// message is the event on the wire.
func (e Event) message(area string) *nats.Msg {
	h := nats.Header{
		headerSpecVersion:     {specVersion},
		headerID:              {e.ID.String()},
		headerType:            {e.Type},
		headerSource:          {e.Source},
		headerTime:            {e.Time.UTC().Format(time.RFC3339Nano)},
		headerContentType:     {"application/json"},
		jetstream.MsgIDHeader: {e.ID.String()},
	}
	if e.Trace != "" {
		h[headerTrace] = []string{e.Trace}
	}
	return &nats.Msg{Subject: subject(area, e.Type), Header: h, Data: e.Data}
}

// decode reads an event from the wire. Whatever it cannot read is a Malformed
// fault; the event that comes with it has an id all the same, so that it can be
// put aside once and only once.
func decode(subject string, h nats.Header, body []byte) (Event, error) {
	e := Event{
		Type:   header(h, headerType),
		Source: header(h, headerSource),
		Trace:  header(h, headerTrace),
		Data:   body,
	}
	id, idErr := uuid.Parse(header(h, headerID))
	e.ID = id
	if idErr != nil {
		e.ID = uuid.NewSHA1(uuid.NameSpaceURL, fmt.Appendf(nil, "%s %s", subject, body))
	}
	if v := header(h, headerSpecVersion); v != specVersion {
		return e, unreadable(headerSpecVersion, fmt.Errorf("version %q, want %q", v, specVersion))
	}
	if idErr != nil {
		return e, unreadable(headerID, idErr)
	}
	if e.Type == "" {
		return e, unreadable(headerType, errors.New("it is missing"))
	}
	// Consumers choose by subject, and the broker lets a process publish under
	// its own area only. Here the handler is chosen by type, so the two must agree.
	if !strings.HasPrefix(subject, "events.") || !strings.HasSuffix(subject, "."+e.Type) {
		return e, unreadable(headerType, fmt.Errorf("it is %s, on the subject %s", e.Type, subject))
	}
	at, err := time.Parse(time.RFC3339Nano, header(h, headerTime))
	if err != nil {
		return e, unreadable(headerTime, err)
	}
	e.Time = at
	return e, nil
}

// unreadable is the fault of an event that no handler can be given.
func unreadable(part string, cause error) error {
	return fault.New(fault.Malformed, "event-unreadable", "The event's "+part+" cannot be read.").Because(cause)
}

// header is the first value of a header, whatever the case of its key.
func header(h nats.Header, key string) string {
	if v := h[key]; len(v) > 0 {
		return v[0]
	}
	for k, v := range h {
		if len(v) > 0 && strings.EqualFold(k, key) {
			return v[0]
		}
	}
	return ""
}
