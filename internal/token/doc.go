// Package token says who is calling: which person, and which service.
//
// Two kinds of JSON Web Token exist, and neither passes for the other. They
// differ in the typ header, in the issuer and in the audience.
//
//   - A user token names a person and a role. One issuer signs them all with its
//     [Signer] and publishes its public keys; every other process checks them with
//     a [Verifier], which fetches those keys.
//   - A service token names a process. Each process signs its own with its
//     [Caller]; the one that is called knows its callers' public keys from its
//     configuration and checks them with an [Admission].
//
// Ed25519 (alg EdDSA) is the only algorithm. A verified token is remembered until
// it expires, because one signature costs more than the rest of a small request.
//
// # Rotating the user keys
//
// The first of the signing keys signs, and all of them are published. Add the new
// key as the last one, wait until the verifiers have refreshed (five minutes), then
// move it to the front, and drop the old one once its last token has expired.
package token
