package seed

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/argon2"
)

func TestGenerateIsDeterministic(t *testing.T) {
	t.Parallel()
	data := Generate(Small)
	require.Equal(t, Checksum(data), Checksum(Generate(Small)))

	data.Orders[7].Items[0].Quantity++
	require.NotEqual(t, Checksum(data), Checksum(Generate(Small)))
}

// A published result names the checksum of its data. Whoever changes the data changes this line
// too, knowing that older results are about other data.
const smallChecksum = "2fd7a69c83772fb927c25f9a38c887081b3b6a69ab65a363c7cf97469c1a893f"

func TestGenerateIsWhatResultsWereMadeOn(t *testing.T) {
	t.Parallel()
	require.Equal(t, smallChecksum, Checksum(Generate(Small)))
}

func TestSizes(t *testing.T) {
	t.Parallel()
	small, medium := Generate(Small), Generate(Medium)
	for _, data := range []*Data{small, medium} {
		counts := data.Size.Counts()
		require.Len(t, data.Books, counts.Books)
		require.Len(t, data.Deliveries, counts.Books)
		require.Len(t, data.Accounts, 1+counts.Customers)
		require.Len(t, data.Orders, counts.Orders)
	}
	require.Equal(t, small.Books, medium.Books[:len(small.Books)], "a book is the same at every size")

	_, err := ParseSize("tiny")
	require.EqualError(t, err, `there is no seed size "tiny": take small, medium, large or huge`)
	for _, size := range []Size{Small, Medium, Large, Huge} {
		parsed, err := ParseSize(string(size))
		require.NoError(t, err)
		require.Equal(t, size, parsed)
	}
}

// TestHugeOrdersAreMadeOnTheWay shows by small data that what is not held is the same as what is.
func TestHugeOrdersAreMadeOnTheWay(t *testing.T) {
	t.Parallel()
	held := Generate(Small)
	made := *held
	made.Size, made.Orders = Huge, nil
	require.Equal(t, held.Orders, slices.Collect(made.AllOrders()))
	require.Equal(t, LedgerLines(held, "services"), LedgerLines(&made, "services"))
	require.Equal(t, Counts{Books: 100_000, Customers: 100_000, Orders: 1_000_000}, Huge.Counts())
}

func TestBooks(t *testing.T) {
	t.Parallel()
	works := Works()
	// As many books as the large size has, without the time its orders take.
	books := makeBooks(works, Large.Counts().Books)

	isbns := map[string]bool{}
	editions := map[string]bool{}
	for i, book := range books {
		require.True(t, validISBN(book.ISBN), book.ISBN)
		require.False(t, isbns[book.ISBN], "ISBN %s is there twice", book.ISBN)
		isbns[book.ISBN] = true
		edition := book.Title + "|" + strings.Join(book.Authors, "|") + "|" + book.Publisher
		require.False(t, editions[edition], "%s is there twice", edition)
		editions[edition] = true
		if i < len(works) {
			require.Equal(t, works[i].Title, book.Title)
			require.Equal(t, works[i].Authors, book.Authors)
		}
		require.True(t, book.Price >= 499 && book.Price <= 4999, "%s costs %d", book.Title, book.Price)
		require.True(t, book.Stock >= 1_000 && book.Stock <= 10_000, "%s: %d copies", book.Title, book.Stock)
		require.True(t, book.PublishedOn.Year() >= 1995 && book.PublishedOn.Before(catalogued), book.PublishedOn)
		require.LessOrEqual(t, len(book.Title), 200)
		require.True(t, strings.HasSuffix(book.Description, "."), book.Description)
		if i > 0 {
			requireLater(t, books[i-1].ID, book.ID)
		}
	}
	require.True(t, catalogued.Add(time.Duration(len(books))*time.Minute).Before(delivered), "what was delivered was known")
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	accounts := Generate(Small).Accounts
	require.Equal(t, "staff@banyan.example", accounts[0].Email)
	require.Equal(t, "staff", accounts[0].Role)
	requirePassword(t, "banyan-staff", accounts[0].PasswordHash)
	requirePassword(t, "banyan-reader", accounts[1].PasswordHash)

	emails := map[string]bool{}
	for i, account := range accounts {
		require.False(t, emails[account.Email])
		emails[account.Email] = true
		require.True(t, account.CreatedAt.Before(delivered))
		if i > 0 {
			require.Equal(t, "customer", account.Role)
			require.Equal(t, accounts[1].PasswordHash, account.PasswordHash)
			requireLater(t, accounts[i-1].ID, account.ID)
		}
	}
	require.True(t, emails["reader1@banyan.example"] && emails["reader500@banyan.example"])
}

func TestOrders(t *testing.T) {
	t.Parallel()
	data := Generate(Small)
	books := map[uuid.UUID]Book{}
	for _, book := range data.Books {
		books[book.ID] = book
	}
	states := map[string]int{}
	for i, order := range data.Orders {
		if i > 0 {
			requireLater(t, data.Orders[i-1].ID, order.ID)
			require.True(t, order.PlacedAt.After(data.Orders[i-1].PlacedAt))
		}
		require.True(t, order.PlacedAt.After(delivered) && order.PlacedAt.Before(Until))

		var total int64
		for n, item := range order.Items {
			book := books[item.BookID]
			require.Equal(t, book.Title, item.Title)
			require.Equal(t, book.Price, item.UnitPrice)
			require.True(t, item.Quantity >= 1 && item.Quantity <= 99)
			if n > 0 {
				require.Negative(t, bytes.Compare(order.Items[n-1].BookID[:], item.BookID[:]), "lines are in order of book")
			}
			total += int64(item.Quantity) * item.UnitPrice
		}
		require.Positive(t, total)
		require.Equal(t, total, order.Total)

		shipment := "none"
		if order.Shipment != nil {
			shipment = order.Shipment.Status
			require.Equal(t, shipment == "dispatched", order.Shipment.TrackingNumber != "")
		}
		require.Equal(t, order.Payment.Status == "refunded", !order.Payment.RefundedAt.IsZero())
		states[strings.Join([]string{order.Status, order.CancelReason, order.Payment.Status, shipment}, " ")]++
	}
	require.ElementsMatch(t, []string{
		"paid  captured preparing",
		"shipped  captured dispatched",
		"cancelled customer refunded cancelled",
		"cancelled declined declined none",
	}, slices.Collect(maps.Keys(states)))
	require.GreaterOrEqual(t, states["paid  captured preparing"]+states["shipped  captured dispatched"], 3_400,
		"the bestsellers' window of 3,333 orders is full")
}

func TestBestsellersAreInteresting(t *testing.T) {
	t.Parallel()
	data := Generate(Small)
	copies := map[uuid.UUID]int{}
	all := 0
	for i, book := range data.Books {
		sold := data.Deliveries[i].Quantity - book.Stock
		require.Equal(t, book.ID, data.Deliveries[i].BookID)
		require.GreaterOrEqual(t, sold, 0)
		copies[book.ID] = sold
		all += sold
	}
	ordered := 0
	for _, order := range data.Orders {
		for _, item := range order.Items {
			if order.Status != "cancelled" {
				ordered += item.Quantity
			}
		}
	}
	require.Equal(t, ordered, all, "what came in is in stock or sold")

	ranks := slices.SortedFunc(maps.Values(copies), func(a, b int) int { return cmp.Compare(b, a) })
	require.Greater(t, ranks[0], 3*ranks[49], "the first sells much more than the fiftieth")
	top := 0
	for _, sold := range ranks[:50] {
		top += sold
	}
	require.Greater(t, top, all/3, "fifty books make a third of the sales")
}

func TestLedgerLines(t *testing.T) {
	t.Parallel()
	data := Generate(Small)
	effects := map[string][]string{}
	var last time.Time
	for line := range bytes.Lines(LedgerLines(data, "services")) {
		var entry ledgerLine
		require.NoError(t, json.Unmarshal(line, &entry))
		require.Equal(t, "services", entry.Merchant)
		require.False(t, entry.At.Before(last), "the ledger is in order of time")
		last = entry.At
		effects[entry.Reference] = append(effects[entry.Reference], entry.Effect)
	}
	require.Len(t, effects, len(data.Orders))
	for _, order := range data.Orders {
		want := map[string][]string{
			"captured": {"charge"},
			"refunded": {"charge", "refund"},
			"declined": {"decline"},
		}[order.Payment.Status]
		require.Equal(t, want, effects[order.ID.String()])
	}
}

// requireLater wants two ids of version 7, the second of a later moment.
func requireLater(t *testing.T, first, second uuid.UUID) {
	t.Helper()
	require.Equal(t, uuid.Version(7), second.Version())
	require.Equal(t, uuid.RFC4122, second.Variant())
	require.Negative(t, bytes.Compare(first[:6], second[:6]), "%s, %s", first, second)
}

func requirePassword(t *testing.T, password, phc string) {
	t.Helper()
	parts := strings.Split(phc, "$")
	require.Equal(t, []string{"", "argon2id", "v=19", "m=19456,t=2,p=1"}, parts[:4])
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	require.NoError(t, err)
	key, err := base64.RawStdEncoding.DecodeString(parts[5])
	require.NoError(t, err)
	require.Equal(t, key, argon2.IDKey([]byte(password), salt, 2, 19456, 1, 32))
}

// validISBN follows the standard's rule and not the generator's way to satisfy it.
func validISBN(isbn string) bool {
	if len(isbn) != 13 || isbn[:3] != "979" {
		return false
	}
	sum := 0
	for i := 0; i < 13; i += 2 {
		sum += int(isbn[i] - '0')
	}
	for i := 1; i < 13; i += 2 {
		sum += 3 * int(isbn[i]-'0')
	}
	return sum%10 == 0
}
