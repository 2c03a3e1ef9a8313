// Package web is the HTTP edge: a door that refuses what is too much, an Echo
// server that is safe to expose, strict binding, problem+json (RFC 9457) for every
// error, cursors, a short-lived memory of encoded answers, and a JSON client that
// turns problems back into faults.
//
// Handlers return errors; one error handler renders them. Echo's types appear
// only here, in http.go files and in main.go, so that a new major version of
// Echo is a day's work.
package web
