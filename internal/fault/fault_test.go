package fault_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/internal/fault"
)

func TestFault(t *testing.T) {
	t.Parallel()
	gone := fault.New(fault.NotFound, "", "No such thing.")
	full := fault.New(fault.Conflict, "full", "The house is full.")

	t.Run("faults of one code are equal, whoever declared them", func(t *testing.T) {
		t.Parallel()
		elsewhere := fault.New(fault.Conflict, "full", "another sentence")
		require.ErrorIs(t, fmt.Errorf("seat 3: %w", elsewhere), full)
		require.NotErrorIs(t, gone, full)
	})
	t.Run("a code is the kind's name unless it is given", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, "not-found", gone.Code)
		require.Equal(t, "internal", fault.Kind(99).String())
	})
	t.Run("an addition makes a copy and leaves the sentinel as it was", func(t *testing.T) {
		t.Parallel()
		cause := errors.New("disk")
		e := full.With("row", 3).With("seat", 4).WithFields(fault.Field{Name: "seat", Detail: "is taken"}).
			After(time.Second).Because(cause).WithDetail("No seat.")
		require.Equal(t, map[string]any{"row": 3, "seat": 4}, e.Members)
		require.ErrorIs(t, e, cause)
		require.ErrorIs(t, e, full)
		require.Equal(t, "full: No seat.; seat is taken: disk", e.Error())
		require.Nil(t, full.Members)
		require.Zero(t, full.RetryAfter)
		require.Equal(t, "The house is full.", full.Detail)
	})
	t.Run("anything else is internal", func(t *testing.T) {
		t.Parallel()
		e := errors.New("connection refused")
		require.Equal(t, fault.Internal, fault.KindOf(e))
		require.ErrorIs(t, fault.From(e), e)
		require.NotContains(t, fault.From(e).Detail, "refused")
		require.Nil(t, fault.From(nil))
	})
	t.Run("checks name everything that failed at once", func(t *testing.T) {
		t.Parallel()
		var c fault.Checks
		c.That(true, "name", "is fine")
		require.NoError(t, c.Err())
		c.That(false, "age", "must be positive")
		c.That(false, "town", "is required")
		require.Equal(t, fault.Invalid, fault.KindOf(c.Err()))
		require.Len(t, fault.From(c.Err()).Fields, 2)
	})
}
