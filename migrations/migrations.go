// Package migrations holds the SQL of every schema: one folder and one history
// each, applied by goose as the schema's owner. bootstrap.sql comes first, as
// a superuser, once per database.
package migrations

import (
	"embed"
	"io/fs"
)

// FS holds bootstrap.sql and a folder per schema.
//
//go:embed bootstrap.sql monolith accounts catalog inventory orders payments shipping notifications
var FS embed.FS

// Schemas are all schemas, in the order in which bootstrap.sql makes them.
var Schemas = []string{"monolith", "accounts", "catalog", "inventory", "orders", "payments", "shipping", "notifications"}

// Of is the history of one schema. A name that is none of Schemas is a mistake
// of the program and panics.
func Of(schema string) fs.FS {
	sub, err := fs.Sub(FS, schema)
	if err != nil {
		panic(err)
	}
	if _, err := fs.Stat(sub, "."); err != nil {
		panic("migrations: no schema " + schema)
	}
	return sub
}
