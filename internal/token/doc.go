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
// The first of the signing keys signs, and all of them are published. Each step is
// a restart of the issuer's instances, one after the other:
//
//  1. add the new key as the last one: it is published, and nothing is signed with it;
//  2. move it to the front: it signs. Verifiers that have not heard of it fetch the
//     keys when its first token comes. Whichever instance they ask, it is there;
//  3. drop the old key, once the last token that it signed has expired.
//
// # Rotating a service key
//
// Whoever is called knows one or several public keys by a caller's name:
//
//  1. those who are called get the new key beside the old;
//  2. the caller gets the new key to sign with;
//  3. those who are called lose the old one.
//
// docs/operations.md has the commands.
package token
