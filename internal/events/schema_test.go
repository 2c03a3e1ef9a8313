package events_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/migrations"
)

func TestSchemaCopies(t *testing.T) {
	t.Parallel()
	for _, area := range migrations.Schemas {
		t.Run(area, func(t *testing.T) {
			t.Parallel()
			file := area + "/00001_events.sql"
			if area == "monolith" { // which had no events before there was a ladder
				file = "monolith/00011_events.sql"
			}
			copied, err := migrations.FS.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, schema, string(copied), "copy internal/events/schema.sql to migrations/%s", file)
		})
	}
}
