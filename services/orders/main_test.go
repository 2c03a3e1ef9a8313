package main

import (
	"testing"

	"banyan/internal/testdb"
	"banyan/internal/testprocess"
	"banyan/migrations"
)

func TestHandover(t *testing.T) {
	t.Parallel()
	testprocess.Handover(t, testdb.New(t, migrations.FS), "orders", "orders", run)
}
