package load

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSleepNeverEndsEarly(t *testing.T) {
	t.Parallel()
	var sleepers sync.WaitGroup
	for n := range 20 {
		sleepers.Go(func() {
			for range 5 {
				began := time.Now()
				d := time.Duration(n) * 300 * time.Microsecond
				sleep(d)
				if took := time.Since(began); took < d {
					t.Errorf("slept %s instead of %s", took, d)
				}
			}
		})
	}
	sleepers.Wait()
	began := time.Now()
	sleep(-time.Second)
	require.Less(t, time.Since(began), 500*time.Millisecond)
}
