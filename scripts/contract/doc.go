// Package contract is the suite that judges every version of the shop. It knows
// docs/api/openapi.yaml and a URL, and nothing of what is behind it:
//
//	go test ./scripts/contract -target http://127.0.0.1:8080
//
// Without -target it starts a monolith for itself.
//
// Every answer is held against the OpenAPI document: an undocumented status, a
// missing header, a field that is not described, or a request that was accepted
// although the document forbids it, fails the test that caused it. On top of
// that each area's file says what the shop does, one sentence per test:
//
//   - accounts_test.go, access_test.go: who is who, and who may do what;
//   - inputs_test.go, lists_test.go, head_test.go, router_test.go: what no operation accepts,
//     read off the document itself, so that a new one is covered at once;
//   - books_test.go, search_test.go, bestsellers_test.go, stock_test.go;
//   - cart_test.go, checkout_test.go, keys_test.go, race_test.go, orders_test.go,
//     cancel_test.go;
//   - shipments_test.go, notifications_test.go; payments are part of every order.
//
// The tests make their own customers and books, so that the suite can run again
// and again against a shop that is alive. What may settle later is waited for,
// with a deadline.
//
// client_test.go checks the answers, operations_test.go walks the document,
// shop_test.go and customer_test.go are the words that the tests are written in,
// and harness_test.go shows that a wrong answer is caught.
package contract
