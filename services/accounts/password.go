package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"

	"banyan/internal/fault"
)

// What a new hash costs: OWASP's choice for argon2id, 19 MiB of memory and two
// passes over them (Password Storage Cheat Sheet).
var today = cost{memory: 19456, passes: 2, lanes: 1}

const (
	saltSize = 16 // bytes
	keySize  = 32 // bytes

	// How long a request waits for its turn to hash: half of what it may take.
	hashPatience = 5 * time.Second

	// When nobody has hashed for so long, the memory goes back to the system: left to itself, Go keeps some of it for
	// minutes.
	hashQuiet = 10 * time.Second
)

var errBusy = fault.New(fault.Unavailable, "busy", "Too many people are signing in at this moment. Please try again.").
	After(time.Second)

// noPassword is what no password matches, at the same cost as one that does. It
// is checked for addresses that nobody has.
var noPassword = phc{cost: today, salt: make([]byte, saltSize), key: make([]byte, keySize)}.String()

// passwords makes and checks hashes, on all processors but one at once: a hash takes
// a hundred times as long as what everybody else wants of this process, and with no
// processor left they would wait for as long. Each takes 19 MiB, too, so that a
// crowd of logins would be an attack on memory.
type passwords struct {
	turns chan struct{}
	quiet *time.Timer
}

func newPasswords() *passwords {
	return &passwords{
		turns: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1)),
		quiet: time.AfterFunc(hashQuiet, debug.FreeOSMemory),
	}
}

// hash returns the password's hash in the PHC string format:
// $argon2id$v=19$m=19456,t=2,p=1$salt$key.
func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	h := phc{cost: today, salt: make([]byte, saltSize)}
	_, _ = rand.Read(h.salt) // crypto/rand never fails; it ends the program instead
	if err := p.inTurn(ctx, func() { h.key = h.of(password, keySize) }); err != nil {
		return "", err
	}
	return h.String(), nil
}

// verify reports whether the hash is this password's. A hash made at another
// cost stays good.
func (p *passwords) verify(ctx context.Context, password, hash string) (bool, error) {
	h, err := parsePHC(hash)
	if err != nil {
		return false, err
	}
	var key []byte
	err = p.inTurn(ctx, func() { key = h.of(password, len(h.key)) })
	return err == nil && subtle.ConstantTimeCompare(key, h.key) == 1, err
}

// inTurn runs work when there is a processor for it, or gives up.
func (p *passwords) inTurn(ctx context.Context, work func()) error {
	patience := time.NewTimer(hashPatience)
	defer patience.Stop()
	select {
	case p.turns <- struct{}{}:
		defer func() { <-p.turns }()
		work()
		p.quiet.Reset(hashQuiet)
		return nil
	case <-patience.C:
		return errBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}

// cost is what makes guessing dear.
type cost struct {
	memory uint32 // KiB
	passes uint32
	lanes  uint8
}

// phc is a hash with all that is needed to make it again.
type phc struct {
	cost
	salt, key []byte
}

func (h phc) of(password string, size int) []byte {
	return argon2.IDKey([]byte(password), h.salt, h.passes, h.memory, h.lanes, uint32(size))
}

// String writes the hash in the PHC string format.
func (h phc) String() string {
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, h.memory, h.passes, h.lanes, encode(h.salt), encode(h.key))
}

// parsePHC reads what String writes. The error holds no part of the hash.
func parsePHC(s string) (phc, error) {
	unreadable := errors.New("a password hash is not an argon2id PHC string")
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return phc{}, unreadable
	}
	var h phc
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.passes, &h.lanes); err != nil {
		return phc{}, unreadable
	}
	var err, err2 error
	h.salt, err = base64.RawStdEncoding.DecodeString(parts[4])
	h.key, err2 = base64.RawStdEncoding.DecodeString(parts[5])
	// A short key would match too many passwords, an empty one all of them.
	if err != nil || err2 != nil || h.passes < 1 || h.lanes < 1 || len(h.key) < 16 {
		return phc{}, unreadable
	}
	return h, nil
}
