package up

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// control serves the requests that change what the lab runs, while the lab is ready. Its socket is in a folder that only
// the lab's user may enter.
type control struct {
	path   string
	server *http.Server
	done   chan struct{}
}

// socketFolder begins the name of the socket's folder. A path of a socket may have no more than 104 bytes on macOS, so it
// can't be in the lab's own folder.
const socketFolder = "banyan-control-"

const mostOfSocket = 103

// refusal is an answer that says what was wrong with the request.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return r.text }

func refuse(status int, format string, args ...any) error {
	return &refusal{status, fmt.Sprintf(format, args...)}
}

func (l *Lab) serveControl() (*control, error) {
	folder, err := os.MkdirTemp("", socketFolder)
	if err == nil && len(filepath.Join(folder, "s")) > mostOfSocket {
		_ = os.Remove(folder)
		folder, err = os.MkdirTemp("/tmp", socketFolder)
	}
	if err != nil {
		return nil, fmt.Errorf("make the folder of the control socket: %w", err)
	}
	c := &control{path: filepath.Join(folder, "s"), done: make(chan struct{})}
	listener, err := net.Listen("unix", c.path)
	if err == nil {
		err = os.Chmod(c.path, 0o600)
	}
	if err != nil {
		_ = os.RemoveAll(folder)
		return nil, fmt.Errorf("listen on the control socket: %w", err)
	}
	c.server = &http.Server{
		Handler:     l.controlled(),
		BaseContext: func(net.Listener) context.Context { return l.life },
	}
	go func() {
		_ = c.server.Serve(listener) // until it is closed
		close(c.done)
	}()
	return c, nil
}

// close ends what is under way, and removes the socket.
func (c *control) close() {
	if c == nil {
		return
	}
	_ = c.server.Close()
	<-c.done
	_ = os.RemoveAll(filepath.Dir(c.path))
}

// removeStale removes the socket of a lab that was killed. The caller has the folder's lock.
func removeStale(dir string) {
	content, err := os.ReadFile(filepath.Join(dir, "state.json"))
	var state State
	if err != nil || json.Unmarshal(content, &state) != nil || state.ControlSocket == "" {
		return
	}
	folder := filepath.Dir(state.ControlSocket)
	if strings.HasPrefix(filepath.Base(folder), socketFolder) {
		_ = os.Remove(state.ControlSocket)
		_ = os.Remove(folder)
	}
}

// controlled are the endpoints. [Control] has a method for each.
func (l *Lab) controlled() http.Handler {
	mux := http.NewServeMux()
	on := func(pattern string, serve func(*http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			answer, err := serve(r)
			status := http.StatusOK
			if err != nil {
				status, answer = http.StatusInternalServerError, problem{err.Error()}
				var refused *refusal
				if errors.As(err, &refused) {
					status = refused.status
				}
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(answer)
		})
	}
	on("GET /processes", func(r *http.Request) (any, error) { return l.statuses(r.Context()), nil })
	on("POST /processes/{name}/stop", func(r *http.Request) (any, error) {
		var asked stopRequest
		if err := read(r, &asked); err != nil {
			return nil, err
		}
		killed, err := l.stopProcess(r.PathValue("name"), time.Duration(asked.GraceMS)*time.Millisecond)
		return stopAnswer{killed}, err
	})
	on("POST /processes/{name}/kill", func(r *http.Request) (any, error) { return nil, l.killProcess(r.PathValue("name")) })
	on("POST /processes/{name}/start", func(r *http.Request) (any, error) {
		order := StartOrder{}
		if err := read(r, &order); err != nil {
			return nil, err
		}
		order.Name = r.PathValue("name")
		return l.startProcess(r.Context(), order)
	})
	on("POST /step", func(r *http.Request) (any, error) {
		var asked stepRequest
		if err := read(r, &asked); err != nil {
			return nil, err
		}
		return nil, l.become(asked.Step)
	})
	on("POST /areas/{area}/prepare", func(r *http.Request) (any, error) { return nil, l.prepareArea(r.Context(), r.PathValue("area")) })
	on("POST /converge", func(r *http.Request) (any, error) {
		changed, err := l.converge(r.Context())
		if err != nil && len(changed) > 0 {
			err = fmt.Errorf("%w; done before that: %s", err, strings.Join(changed, "; "))
		}
		return convergeAnswer{changed}, err
	})
	return mux
}

func read(r *http.Request, into any) error {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return refuse(http.StatusBadRequest, "the request can't be read: %v", err)
	}
	return nil
}

// What is on the wire.
type (
	problem struct {
		Error string `json:"error"`
	}
	stopRequest struct {
		GraceMS int64 `json:"grace_ms"`
	}
	stopAnswer struct {
		Killed bool `json:"killed"`
	}
	stepRequest struct {
		Step int `json:"step"`
	}
	convergeAnswer struct {
		Changed []string `json:"changed"`
	}
)
