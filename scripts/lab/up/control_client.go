package up

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Control asks a running lab to change what it runs. The lab stays the owner of its processes, so they outlive who asks,
// and what it has begun it ends, but for [Control.Prepare], even if the context of the call ends before. An error that the lab answers is a sentence for people.
type Control struct {
	path   string
	client *http.Client
}

// Control is a client of the lab's control socket.
func (s *State) Control() *Control {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", s.ControlSocket)
	}
	return &Control{s.ControlSocket, &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}
}

// ProcessStatus is what a process of the lab does right now.
type ProcessStatus struct {
	ProcessState
	Running bool `json:"running"`
	Ready   bool `json:"ready"`
	// Step is the one whose environment it has, or will have at its next start.
	Step int `json:"step"`
}

// StartOrder says how to start a process.
type StartOrder struct {
	Name string `json:"-"`
	// Step is the one whose environment it gets; 0 is the lab's.
	Step int `json:"step,omitempty"`
	// Standby makes it serve requests and do nothing else.
	Standby bool `json:"standby,omitempty"`
	// As starts it beside the one of that name, on spare ports, and under this name. The lab forgets it when it is stopped.
	As string `json:"as,omitempty"`
}

// StopGrace is how long a process usually gets to end in order.
const StopGrace = 3 * time.Second

// Processes are all processes of the lab.
func (c *Control) Processes(ctx context.Context) ([]ProcessStatus, error) {
	var all []ProcessStatus
	return all, c.call(ctx, http.MethodGet, "/processes", nil, &all)
}

// Stop ends a process by SIGTERM, and after the grace, which is [StopGrace] if it is 0, by SIGKILL; then killed is true. It
// returns when the process is gone. It is no error that it was not running.
func (c *Control) Stop(ctx context.Context, name string, grace time.Duration) (killed bool, err error) {
	if grace <= 0 {
		grace = StopGrace
	}
	var answer stopAnswer
	err = c.call(ctx, http.MethodPost, "/processes/"+url.PathEscape(name)+"/stop", stopRequest{grace.Milliseconds()}, &answer)
	return answer.Killed, err
}

// Kill ends a process by SIGKILL, and returns when it is gone.
func (c *Control) Kill(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodPost, "/processes/"+url.PathEscape(name)+"/kill", struct{}{}, nil)
}

// Start starts a process, and returns when it is ready. One that runs already is an error. One that does not get ready is
// ended again. The program of a service has to be prepared.
func (c *Control) Start(ctx context.Context, order StartOrder) (ProcessStatus, error) {
	var started ProcessStatus
	return started, c.call(ctx, http.MethodPost, "/processes/"+url.PathEscape(order.Name)+"/start", order, &started)
}

// Become makes a step the lab's own: in its state, in the routes file, and in the environment of what is started from now
// on. It tells the gateways nothing, and starts and stops nothing.
func (c *Control) Become(ctx context.Context, step int) error {
	return c.call(ctx, http.MethodPost, "/step", stepRequest{step}, nil)
}

// Prepare makes what the step of an area needs and the lab has not started with: programs, schemas, the broker. It may take
// as long as a build does, and may be repeated.
func (c *Control) Prepare(ctx context.Context, area string) error {
	return c.call(ctx, http.MethodPost, "/areas/"+url.PathEscape(area)+"/prepare", struct{}{}, nil)
}

// Converge brings processes, routes and holds to what the data say, and returns what it has changed, a sentence each.
func (c *Control) Converge(ctx context.Context) (changed []string, err error) {
	var answer convergeAnswer
	err = c.call(ctx, http.MethodPost, "/converge", struct{}{}, &answer)
	return answer.Changed, err
}

func (c *Control) call(ctx context.Context, method, path string, body, into any) error {
	if c.path == "" {
		return errors.New("the lab can't be controlled, since it is still starting or already stopping: try again in a moment")
	}
	sent, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://lab"+path, bytes.NewReader(sent))
	if err != nil {
		return err
	}
	response, err := c.client.Do(request)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("the lab does not answer (%w): look whether it still runs, or start it with go run ./scripts/lab up", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("read what the lab answers: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		var said problem
		if json.Unmarshal(answer, &said) == nil && said.Error != "" {
			return errors.New(said.Error)
		}
		return fmt.Errorf("the lab answers %s to %s %s", response.Status, method, path)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}
