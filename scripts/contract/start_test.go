package contract_test

import (
	"flag"
	"os"
	"testing"
)

var target = flag.String("target", "", "the `URL` of the shop to judge, such as http://127.0.0.1:8080")

func TestMain(m *testing.M) {
	// These tests wait for a shop more than they compute, so more of them may run
	// at once than there are cores. What the command line says still wins.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	flag.Parse()
	os.Exit(m.Run())
}

// shopURL is where the shop is that the test judges.
func shopURL(t *testing.T) string {
	t.Helper()
	if *target == "" {
		t.Skip("no -target given: run with -target http://127.0.0.1:8080")
	}
	return *target
}
