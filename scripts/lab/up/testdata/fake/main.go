// Command fake stands in for a service in the tests of the lab: it says what it was given, gets ready,
// and dies when it is told to.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
)

func main() {
	if os.Getenv("DIE") == "at once" {
		fmt.Fprintln(os.Stderr, "one", "\ntwo\nthree\nfour\nfive\nsix: no schema here")
		os.Exit(3)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if os.Getenv("READY") == "never" {
			http.Error(w, "the database is away", http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("GET /given", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string][]string{"environment": os.Environ(), "arguments": os.Args})
	})
	mux.HandleFunc("POST /die", func(http.ResponseWriter, *http.Request) { os.Exit(4) })
	fmt.Fprintln(os.Stderr, "listening")
	if err := http.ListenAndServe(os.Getenv("OPS_ADDR"), mux); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
