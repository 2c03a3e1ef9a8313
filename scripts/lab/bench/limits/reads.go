package limits

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"banyan/internal/local"
	"banyan/monolith/catalog"
	"banyan/scripts/lab/bench/drive"
	"banyan/scripts/lab/shop"
)

// compareBook asks the monolith and the least that a server in Go can do, net/http, pgx and a struct as JSON, for single
// books, which the monolith does not cache.
func compareBook(ctx context.Context, w *world) ([]Figure, error) {
	lab := w.lab
	state := lab.State()
	appURL, err := state.AppURL("monolith")
	if err != nil {
		return nil, err
	}
	work, err := record(ctx, appURL, func(r *recorded) error {
		_, err := catalog.New(r.pool).Book(ctx, w.data.Books[0].ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(work.trips) != 1 || len(work.trips[0]) != 1 || len(work.trips[0][0].args) != 1 {
		return nil, fmt.Errorf("a book is no longer one statement with one argument: the probe has to learn how it is read")
	}
	base, pid, err := w.probeServer(ctx, "book", "DATABASE_URL="+appURL, "BOOK_SQL="+work.trips[0][0].sql)
	if err != nil {
		return nil, err
	}
	books := func(base string) (func(int) drive.Request, error) {
		var requests []drive.Request
		for _, book := range w.data.Books {
			r, err := drive.Get(base, "/v1/books/"+book.ID.String())
			if err != nil {
				return nil, err
			}
			requests = append(requests, r)
		}
		return func(n int) drive.Request { return requests[n%len(requests)] }, nil
	}
	return w.beside(ctx, "2", books, contender{name: "net/http and pgx", base: base, pid: pid})
}

// compareLists asks for pages of 20 books, which the monolith remembers for a moment, and a server that has one in its
// hand.
func compareLists(ctx context.Context, w *world) ([]Figure, error) {
	lab := w.lab
	paths := listPaths(w)
	answer, err := fetch(ctx, lab.MonolithURL(), paths[0])
	if err != nil {
		return nil, err
	}
	file := filepath.Join(w.dir, "answer.json")
	if err := os.WriteFile(file, answer, 0o644); err != nil {
		return nil, err
	}
	base, pid, err := w.probeServer(ctx, "static", "ANSWER="+file)
	if err != nil {
		return nil, err
	}
	lists := func(base string) (func(int) drive.Request, error) {
		var requests []drive.Request
		for _, path := range paths {
			r, err := drive.Get(base, path)
			if err != nil {
				return nil, err
			}
			requests = append(requests, r)
		}
		return func(n int) drive.Request { return requests[n%len(requests)] }, nil
	}
	return w.beside(ctx, "3", lists, contender{name: "static answer by Echo", base: base, pid: pid})
}

// listPaths are the newest books of each subject.
func listPaths(w *world) []string {
	subjects := map[string]bool{}
	for _, book := range w.data.Books {
		subjects[book.Subject] = true
	}
	var paths []string
	for subject := range subjects {
		paths = append(paths, "/v1/books?"+url.Values{"sort": {"newest"}, "subject": {subject}}.Encode())
	}
	slices.Sort(paths)
	return paths
}

// beside compares the monolith with a probe that is asked for the same.
func (w *world) beside(ctx context.Context, key string, requests func(base string) (func(int) drive.Request, error), probe contender) ([]Figure, error) {
	defer func() { _ = w.stopExtra(context.WithoutCancel(ctx)) }()
	monolith := contender{name: "monolith", base: w.lab.MonolithURL(), pid: w.lab.Process("monolith").PID()}
	contenders := []contender{probe, monolith}
	for i := range contenders {
		var err error
		if contenders[i].request, err = requests(contenders[i].base); err != nil {
			return nil, err
		}
	}
	laps, err := w.inTurns(ctx, contenders, drive.Closed)
	if err != nil {
		return nil, err
	}
	rounds := ratios(laps[monolith.name], laps[probe.name], rate)
	parts := map[string]float64{}
	for _, c := range contenders {
		parts[c.name+", requests/s"] = median(each(laps[c.name], rate))
		parts[c.name+", CPU µs/request"] = median(each(laps[c.name], cpu))
	}
	return []Figure{{Key: key, Value: median(rounds), Rounds: rounds, Parts: parts,
		Notes: []string{fmt.Sprintf("%d clients; the probe is a process of its own, as the monolith is", clients)}}}, nil
}

// probeServer starts the program with the things to compare with.
func (w *world) probeServer(ctx context.Context, what string, env ...string) (base string, pid int, err error) {
	address, err := freeAddress()
	if err != nil {
		return "", 0, err
	}
	process, err := w.start(ctx, address, local.Command{
		Name: "probe-" + what, Path: w.probe, Args: []string{what}, Env: append(env, "ADDR="+address, "PATH="+os.Getenv("PATH")),
	})
	if err != nil {
		return "", 0, err
	}
	return "http://" + address, process.PID(), nil
}

// fetch is the body of a page.
func fetch(ctx context.Context, base, path string) ([]byte, error) {
	client, err := shop.New(shop.Options{}, base)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	said, err := client.Send(ctx, shop.Request{Method: http.MethodGet, Path: path})
	if err == nil && (said.Status != http.StatusOK || !json.Valid(said.Body)) {
		err = fmt.Errorf("%s was %w", path, said.Err())
	}
	return said.Body, err
}
