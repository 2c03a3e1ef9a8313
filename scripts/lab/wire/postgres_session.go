package wire

import "sync"

// most bounds what a connection makes the proxy remember: names, or messages without an answer.
const most = 1 << 16

// postgresSession follows the transactions of one connection. A client may send much before the first answer, so it follows
// the words of the statements, and believes the server's ReadyForQuery where nothing is under way.
type postgresSession struct {
	mu          sync.Mutex
	asked       bool // for encryption, and not answered
	started     bool // the server is ready
	application string

	prepared map[string]*statement
	portals  map[string]*statement

	open   bool     // a transaction, by begin
	failed bool     // it will not commit, whatever the client says
	wrote  bool     // what ran outside of begin
	ran    []string // in this transaction

	current exchange   // what the client is sending
	pending []exchange // what it waits for
}

// exchange is what the server answers with one ReadyForQuery: a Query message, or all that was sent up to a Sync.
type exchange struct {
	simple     bool
	begun      bool // something is in it
	commit     bool
	told       bool // the watcher knows of the commit
	explicit   bool // by the word, which the server answers with the same
	tagged     bool // it did
	failed     bool
	statements []string
}

func newPostgresSession() *postgresSession {
	return &postgresSession{prepared: map[string]*statement{}, portals: map[string]*statement{}}
}

func (s *postgresSession) moment(kind Kind, x *exchange) *Moment {
	return &Moment{Kind: kind, Application: s.application, Statements: x.statements}
}

func (s *postgresSession) prepare(name, text string) error {
	if len(s.prepared) >= most {
		return errUnread
	}
	s.prepared[name] = parseStatement(text)
	return nil
}

func (s *postgresSession) bind(portal, name string) error {
	if len(s.portals) >= most {
		return errUnread
	}
	s.portals[portal] = s.prepared[name]
	return nil
}

func (s *postgresSession) forget(what byte, name string) {
	if what == 'S' {
		delete(s.prepared, name)
	} else {
		delete(s.portals, name)
	}
}

// execute runs a portal. A commit is a commit here and not at the Sync; what is left open commits there.
func (s *postgresSession) execute(portal string) *exchange {
	if st := s.portals[portal]; st != nil {
		s.run(st)
	}
	if !s.current.commit || s.current.told {
		return nil
	}
	s.current.told = true
	return s.copied()
}

// run follows what the statements do to the transaction.
func (s *postgresSession) run(st *statement) {
	x := &s.current
	x.begun = true
	for _, step := range st.steps {
		switch step {
		case begins:
			s.open = true
		case commits:
			if s.open && !s.failed {
				x.commit, x.explicit, x.statements = true, true, s.ran
			}
			s.end()
		case aborts:
			s.end()
		case writes, reads:
			s.wrote = s.wrote || step == writes
			if n := len(s.ran); n == 0 || s.ran[n-1] != st.text || len(st.steps) == 1 {
				s.ran = append(s.ran, st.text)
			}
		}
	}
}

// end forgets a transaction.
func (s *postgresSession) end() { s.open, s.failed, s.wrote, s.ran = false, false, false, nil }

// sync ends an exchange, and with it a transaction that nobody has begun in words. It returns the exchange if that
// makes a commit of it.
func (s *postgresSession) sync() (*exchange, error) {
	if len(s.pending) >= most {
		return nil, errUnread
	}
	if !s.open {
		if s.wrote && !s.current.commit && !s.current.failed {
			s.current.commit, s.current.statements = true, s.ran
		}
		s.end()
	}
	var told *exchange
	if s.current.commit && !s.current.told {
		s.current.told = true
		told = s.copied()
	}
	s.pending = append(s.pending, s.current)
	s.current = exchange{}
	return told, nil
}

func (s *postgresSession) copied() *exchange {
	x := s.current
	return &x
}

// head is the exchange that the server is answering.
func (s *postgresSession) head() *exchange {
	if len(s.pending) > 0 {
		return &s.pending[0]
	}
	return &s.current
}

// ready is ReadyForQuery. It returns the exchange that it answers if that is committed.
func (s *postgresSession) ready(status byte) (*exchange, error) {
	if !s.started {
		s.started = true
		return nil, nil
	}
	if len(s.pending) == 0 {
		return nil, errUnread
	}
	x := s.pending[0]
	s.pending = append(s.pending[:0], s.pending[1:]...)
	if len(s.pending) == 0 && !s.current.begun {
		if status == 'I' {
			s.end()
		} else {
			s.open, s.failed = true, status == 'E'
		}
	}
	if x.commit && !x.failed && status == 'I' && (x.tagged || !x.explicit) {
		return &x, nil
	}
	return nil, nil
}
