package events_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"banyan/migrations"
)

func TestSchemaCopies(t *testing.T) {
	t.Parallel()
	for _, service := range migrations.Schemas {
		if service == "monolith" {
			continue
		}
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			copied, err := migrations.FS.ReadFile(service + "/00001_events.sql")
			require.NoError(t, err)
			require.Equal(t, schema, string(copied), "copy internal/events/schema.sql to migrations/%s/00001_events.sql", service)
		})
	}
}
