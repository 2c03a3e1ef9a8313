// The probe is what the shop is compared with: servers that do one thing and nothing else. Package limits runs it.
//
//	probe book     net/http and pgx: a book by its id, as JSON (DATABASE_URL, BOOK_SQL)
//	probe static   Echo: the content of a file (ANSWER)
//	probe tiny     net/http: 300 bytes or 6 KB, for proxies to stand in front of
//
// It listens at ADDR.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/labstack/echo/v4"

	"banyan/internal/postgres"
	"banyan/monolith/catalog"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("say what to be: book, static or tiny")
	}
	var handler http.Handler
	switch args[0] {
	case "book":
		pool, err := postgres.Open(ctx, os.Getenv("DATABASE_URL"), postgres.Options{})
		if err != nil {
			return err
		}
		defer pool.Close()
		handler = book(pool, os.Getenv("BOOK_SQL"))
	case "static":
		content, err := os.ReadFile(os.Getenv("ANSWER"))
		if err != nil {
			return err
		}
		e := echo.New()
		e.GET("/v1/books", func(c echo.Context) error { return c.JSONBlob(http.StatusOK, content) })
		handler = e
	case "tiny":
		handler = tiny()
	default:
		return fmt.Errorf("there is no %q to be: book, static or tiny", args[0])
	}
	server := &http.Server{Addr: os.Getenv("ADDR"), Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// book reads a book by the statement that it is given.
func book(q postgres.Querier, sql string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, err := uuid.Parse(strings.TrimPrefix(r.URL.Path, "/v1/books/"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		rows, err := q.Query(r.Context(), sql, id)
		if err == nil {
			var found catalog.Book
			if found, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[catalog.Book]); err == nil {
				w.Header().Set("Content-Type", "application/json")
				err = json.NewEncoder(w).Encode(found)
			}
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
}

// tiny answers at once.
func tiny() http.Handler {
	answer := func(size int) http.HandlerFunc {
		body := []byte(`{"x":"` + strings.Repeat("x", size-8) + `"}`)
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			_, _ = w.Write(body)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/things/small", answer(300))
	mux.HandleFunc("/v1/things/large", answer(6<<10))
	return mux
}
