// Package deploy holds the configuration of what runs the shop beyond go run: the broker's, which the lab gives
// to its own broker too, and the gateway's routes among containers. Both are embedded, so that the program that
// prepares containers needs nothing mounted from a checkout.
package deploy

import _ "embed"

// NATS is nats.conf, the broker's configuration.
//
//go:embed nats.conf
var NATS string

// Routes is routes.json: the gateway's routes where each service is a host of its own, with its name.
//
//go:embed routes.json
var Routes []byte
