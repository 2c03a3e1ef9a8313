// Package migrations holds the SQL of every schema: one folder and one history
// each, applied by goose as the schema's owner. bootstrap.sql comes first, as
// a superuser, once per database.
//
// The folder extract is no schema. It holds, an area each, the SQL that moves the
// areas out of the monolith.
package migrations

import (
	"embed"
	"io/fs"
)

// FS holds bootstrap.sql and a folder per schema.
//
//go:embed bootstrap.sql monolith accounts catalog inventory orders payments shipping notifications
var FS embed.FS

// Extract holds changes.sql and a folder per area, with its step before its name.
// Package ladder runs them (scripts/lab/ladder).
var Extract = sub(extract, "extract")

//go:embed extract
var extract embed.FS

// Schemas are all schemas, in the order in which bootstrap.sql makes them.
var Schemas = []string{"monolith", "accounts", "catalog", "inventory", "orders", "payments", "shipping", "notifications"}

// Of is the history of one schema. A name that is none of Schemas is a mistake
// of the program and panics.
func Of(schema string) fs.FS {
	history := sub(FS, schema)
	if _, err := fs.Stat(history, "."); err != nil {
		panic("migrations: no schema " + schema)
	}
	return history
}

func sub(fsys fs.FS, folder string) fs.FS {
	part, err := fs.Sub(fsys, folder)
	if err != nil {
		panic(err)
	}
	return part
}
