package seed

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"golang.org/x/crypto/argon2"
)

// What signs in: reader1@banyan.example up to the number of customers, all with one password,
// and one member of staff.
const (
	ReaderPassword = "banyan-reader"
	StaffEmail     = "staff@banyan.example"
	StaffPassword  = "banyan-staff"
)

// ReaderEmail is the address of a customer; the first is 1.
func ReaderEmail(number int) string { return fmt.Sprintf("reader%d@banyan.example", number) }

// Account is somebody who can sign in. Role is "customer" or "staff".
type Account struct {
	ID           uuid.UUID
	Email        string
	Name         string
	PasswordHash string
	Role         string
	CreatedAt    time.Time
}

// Accounts were opened from opened on, evenly over openedDays.
var opened = time.Date(2025, time.January, 6, 9, 0, 0, 0, time.UTC)

const openedDays = 400

// makeAccounts returns the member of staff and then n customers.
func makeAccounts(n int) []Account {
	accounts := []Account{{
		ID:           newID(source("staff", 0), opened),
		Email:        StaffEmail,
		Name:         "Banyan Staff",
		PasswordHash: hashPassword(StaffPassword),
		Role:         "staff",
		CreatedAt:    opened,
	}}
	hash := hashPassword(ReaderPassword)
	between := openedDays * 24 * time.Hour / time.Duration(n+1)
	for i := 1; i <= n; i++ {
		random := source("customer", i)
		at := opened.Add(time.Duration(i) * between).Truncate(time.Millisecond)
		accounts = append(accounts, Account{
			ID:           newID(random, at),
			Email:        ReaderEmail(i),
			Name:         pick(random, givenNames) + " " + pick(random, familyNames),
			PasswordHash: hash,
			Role:         "customer",
			CreatedAt:    at,
		})
	}
	return accounts
}

// hashPassword hashes with Argon2id and writes the result as a PHC string. Hashing is dear on
// purpose, so all readers share one hash. The salt is fixed, or the data would differ each time:
// good enough for passwords that stand in the source, and for nothing else.
func hashPassword(password string) string {
	const memory, passes, threads = 19 * 1024, 2, 1
	salt := []byte("banyan-seed-salt")
	key := argon2.IDKey([]byte(password), salt, passes, memory, threads, 32)
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, memory, passes, threads, encode(salt), encode(key))
}

func pick[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }
