package differ

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/stretchr/testify/require"

	"banyan/docs/api"
	"banyan/scripts/lab/seed"
)

func TestGenerate(t *testing.T) {
	t.Parallel()
	books := CatalogueOf(seed.Generate(seed.Small))

	t.Run("the same seed makes the same, another something else", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, Generate(7, 500, books), Generate(7, 500, books))
		require.NotEqual(t, Generate(7, 500, books), Generate(8, 500, books))
	})

	t.Run("a seed makes as many requests as it is told", func(t *testing.T) {
		t.Parallel()
		count := 0
		for _, steps := range Generate(7, 130, books) {
			count += len(steps)
			require.LessOrEqual(t, len(steps), perSequence)
		}
		require.Equal(t, 130, count)
	})

	t.Run("steps refer to earlier ones only", func(t *testing.T) {
		t.Parallel()
		for _, steps := range Generate(7, 500, books) {
			for i, s := range steps {
				require.Equal(t, i, s.ID)
			}
		}
	})

	t.Run("twenty seeds pay with every card", func(t *testing.T) {
		t.Parallel()
		missing := []string{"tok_visa", "tok_declined", "tok_unknown", "tok_refused", "tok_flaky", "tok_slow", "tok_timeout"}
		for n := range uint64(20) {
			for _, steps := range Generate(n, 500, books) {
				for _, s := range steps {
					missing = slices.DeleteFunc(missing, func(card string) bool {
						return s.checkout() && s.As != nobody && strings.Contains(s.Body, card)
					})
				}
			}
		}
		require.Empty(t, missing)
	})

	t.Run("twenty seeds fill carts and shelves, and one more is tried", func(t *testing.T) {
		t.Parallel()
		carts, shelves := 0, 0
		for n := range uint64(20) {
			for _, steps := range Generate(n, 500, books) {
				for i, s := range steps {
					if len(s.Before) > 0 {
						carts++
						titles := append(slices.Clone(s.Before), s.Path, steps[i+1].Path)
						slices.Sort(titles)
						require.Len(t, slices.Compact(titles), mostTitles+1)
					}
					if s.Fill != "" {
						shelves++
					}
				}
			}
		}
		require.Greater(t, carts, 20)
		require.Greater(t, shelves, 20)
	})

	t.Run("twenty seeds ask for every operation of the contract, by those who may and those who may not", func(t *testing.T) {
		t.Parallel()
		doc, err := openapi3.NewLoader().LoadFromData(api.OpenAPI)
		require.NoError(t, err)
		router, err := gorillamux.NewRouter(doc)
		require.NoError(t, err)
		askers := map[string]map[string]bool{}
		for _, path := range doc.Paths.Map() {
			for _, operation := range path.Operations() {
				askers[operation.OperationID] = map[string]bool{}
			}
		}
		for n := range uint64(20) {
			for _, steps := range Generate(n, 500, books) {
				for _, s := range steps {
					path, _, _ := strings.Cut((&world{}).fill(s.Path, nil), "?")
					address, err := url.Parse(path)
					if err != nil {
						continue
					}
					route, _, err := router.FindRoute(&http.Request{Method: s.Method, URL: address})
					if err == nil {
						askers[route.Operation.OperationID][s.As] = true
					}
				}
			}
		}
		for operation, by := range askers {
			require.NotEmpty(t, by, "nobody asks for %s", operation)
			switch operation {
			case "addBook", "editBook", "getStock", "deliver", "dispatch":
				require.True(t, by[staff] && by[alice] && by[nobody] && by[liar], "%s is asked for by %v only", operation, by)
			case "register", "signIn", "bestsellers", "listBooks":
				require.True(t, by[nobody], "%s", operation)
			case "signOut":
				require.Greater(t, len(by), 2, "%s is asked for by %v only", operation, by)
			case "getBook", "me", "getCart", "checkOut", "cancelOrder", "listOrders", "getOrder":
				require.True(t, by[alice] && by[bob] && by[nobody], "%s is asked for by %v only", operation, by)
			}
		}
	})
}
