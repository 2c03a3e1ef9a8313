// Package api holds the public contract of the shop: the OpenAPI document that
// the monolith and the gateway both serve, and that the suite in
// scripts/contract holds every answer of either against; and the examples of
// events that producers and consumers are both tested with.
package api

import (
	"embed"
	"fmt"
)

// OpenAPI is openapi.yaml, byte for byte.
//
//go:embed openapi.yaml
var OpenAPI []byte

//go:embed events/*.json
var events embed.FS

// Event returns the example of an event's data. A type without one is a mistake
// of the program and panics.
func Event(typ string) []byte {
	b, err := events.ReadFile("events/" + typ + ".json")
	if err != nil {
		panic(fmt.Sprintf("api: there is no example of %s", typ))
	}
	return b
}
