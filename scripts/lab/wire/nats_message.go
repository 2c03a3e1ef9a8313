package wire

import (
	"bytes"
	"encoding/json"
)

// message decides what the message that is complete now means.
func (r *natsReader) message() *Moment {
	subject := r.fields[0]
	answer := []byte(nil)
	if last := len(r.fields) - 1; r.client && last == 1 || !r.client && last == 2 {
		answer = r.fields[last]
	}
	if r.client {
		return r.sent(subject, answer)
	}
	return r.received(subject, answer)
}

// sent is a message from a client.
func (r *natsReader) sent(subject, answer []byte) *Moment {
	switch {
	case bytes.HasPrefix(subject, []byte(ackPrefix)):
		if !isAck(r.body()) {
			return nil
		}
		a, _ := r.session.delivered.take(subject)
		return &Moment{Kind: Ack, Subject: a.subject, MessageID: a.id}
	case subject[0] == '$', bytes.HasPrefix(subject, []byte("_INBOX.")):
		return nil // a request to JetStream, or an answer to somebody
	}
	a := about{string(subject), r.id()}
	if answer != nil {
		r.session.published.put(string(answer), a)
	}
	return &Moment{Kind: Publish, Subject: a.subject, MessageID: a.id}
}

// received is a message to a client.
func (r *natsReader) received(subject, answer []byte) *Moment {
	if bytes.HasPrefix(answer, []byte(ackPrefix)) {
		a := about{string(subject), r.id()}
		r.session.delivered.put(string(answer), a)
		return &Moment{Kind: Delivery, Subject: a.subject, MessageID: a.id}
	}
	a, ok := r.session.published.take(subject)
	if !ok || !isStored(r.body()) {
		return nil
	}
	return &Moment{Kind: Published, Subject: a.subject, MessageID: a.id}
}

// body is what is kept of the payload. Behind headers that were too long to keep there is nothing.
func (r *natsReader) body() []byte {
	return r.kept[min(r.headers, len(r.kept)):]
}

// id is the message's, from its headers.
func (r *natsReader) id() string {
	var id string
	headers := r.kept[:min(r.headers, len(r.kept))]
	_, headers, _ = bytes.Cut(headers, []byte("\r\n")) // the version
	for len(headers) > 0 {
		var line []byte
		line, headers, _ = bytes.Cut(headers, []byte("\r\n"))
		key, value, _ := bytes.Cut(line, []byte{':'})
		switch {
		case bytes.EqualFold(key, []byte("Nats-Msg-Id")):
			return string(bytes.TrimSpace(value))
		case bytes.EqualFold(key, []byte("ce-id")):
			id = string(bytes.TrimSpace(value))
		}
	}
	return id
}

// isAck tells an acknowledgement from a refusal (-NAK), a call for patience (+WPI) and a farewell (+TERM).
func isAck(body []byte) bool {
	return len(body) == 0 || bytes.Equal(body, []byte("+ACK")) || bytes.HasPrefix(body, []byte("+NXT"))
}

// isStored reports whether JetStream's answer is that it has the message.
func isStored(body []byte) bool {
	var answer struct {
		Stream string
		Error  json.RawMessage
	}
	return json.Unmarshal(body, &answer) == nil && answer.Stream != "" && answer.Error == nil
}
