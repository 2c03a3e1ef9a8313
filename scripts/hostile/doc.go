// Package hostile is what a stranger, a customer of ill will, or a neighbour that was
// taken over would try: one test per bad input and bad actor. docs/security.md says
// which requirement each of them stands for, and what is not tested.
//
//	go test ./scripts/hostile              # starts a lab of its own
//	go test ./scripts/hostile -lab .lab    # uses one that runs
//
// The doors are what the street can reach: the gateway and the monolith. Where a
// rule is a service's own, it is tried at the service's port as well, as if the
// gateway were not there.
//
// It reads the lab's folder to get what an attacker may have stolen: a service's key,
// a role's password. A test proves only what it could also disprove; so next to each
// refusal stands the same request with nothing wrong about it, where there is one.
//
//   - identity_test.go, tokens_test.go: being somebody else;
//   - internal_test.go, reach_test.go: going where only services and operators may;
//   - wire_test.go, paths_test.go, slow_test.go: HTTP itself;
//   - bodies_test.go, amounts_test.go, text_test.go: what is sent;
//   - flood_test.go: too much of it;
//   - secrets_test.go: what must not be lying about.
//
// start_test.go finds the lab, ask_test.go and people_test.go are the words that the
// tests are written in.
package hostile
