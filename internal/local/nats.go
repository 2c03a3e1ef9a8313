package local

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// NATSOptions say which broker to run.
type NATSOptions struct {
	// Dir is the folder of the streams, the log and the pid file; made if missing.
	Dir string
	// Port of 127.0.0.1; zero takes a free one.
	Port int
	// Config is a nats-server configuration file; empty for the server's defaults. Address, port,
	// JetStream and its folder come from these options in any case.
	Config string
	// Env are variables, as KEY=value, added to this process's own: a configuration can refer to them.
	Env []string
	// Binary is the nats-server to run; empty finds it by [FindNATS].
	Binary string
}

// NATS is a running nats-server with JetStream.
type NATS struct {
	Port int

	process *Process
}

// FindNATS returns the path of nats-server: the tool of the Go module in the working directory, built
// if need be, or else the one on PATH.
func FindNATS(ctx context.Context) (string, error) {
	build := exec.CommandContext(ctx, "go", "tool", "-n", "nats-server")
	var trouble bytes.Buffer
	build.Stderr = &trouble
	out, err := build.Output()
	if path := strings.TrimSpace(string(out)); err == nil && path != "" {
		return path, nil
	}
	if path, err := exec.LookPath("nats-server"); err == nil {
		return path, nil
	}
	return "", fmt.Errorf("find nats-server: run this inside the Go module that has it as a tool, or put it on PATH: %w: %s",
		err, bytes.TrimSpace(trouble.Bytes()))
}

// StartNATS runs a nats-server with JetStream and waits until it answers. It stops when this process
// is gone.
func StartNATS(ctx context.Context, options NATSOptions) (*NATS, error) {
	if options.Binary == "" {
		var err error
		if options.Binary, err = FindNATS(ctx); err != nil {
			return nil, err
		}
	}
	dir, err := filepath.Abs(options.Dir)
	if err != nil {
		return nil, fmt.Errorf("start nats-server: %w", err)
	}
	options.Dir = dir
	if err := MakeFolder(dir); err != nil {
		return nil, fmt.Errorf("start nats-server: %w", err)
	}
	if err := stopOrphanNATS(ctx, dir); err != nil {
		return nil, fmt.Errorf("stop the nats-server that still runs on %s: %w", dir, err)
	}
	if options.Port != 0 {
		if err := CheckPort(options.Port); err != nil {
			return nil, fmt.Errorf("start nats-server: %w", err)
		}
	}

	const attempts = 3
	for attempt := 1; ; attempt++ {
		server, err := runNATS(ctx, options)
		// The free port may have been taken meanwhile.
		passing := err != nil && strings.Contains(err.Error(), "address already in use")
		if err == nil || !passing || attempt == attempts || ctx.Err() != nil {
			return server, err
		}
	}
}

func runNATS(ctx context.Context, options NATSOptions) (*NATS, error) {
	server := &NATS{Port: options.Port}
	if server.Port == 0 {
		var err error
		if server.Port, err = FreePort(); err != nil {
			return nil, err
		}
	}
	command := Command{
		Name: "nats-server",
		Path: options.Binary,
		Args: []string{
			"--addr", "127.0.0.1", "--port", strconv.Itoa(server.Port),
			"--jetstream", "--store_dir", options.Dir, "--pid", natsPIDFile(options.Dir),
		},
		Env: append(os.Environ(), options.Env...),
		Log: filepath.Join(options.Dir, "nats.log"),
	}
	if options.Config != "" {
		command.Args = append(command.Args, "--config", options.Config)
	}

	from := fileSize(command.Log)
	var err error
	if server.process, err = Start(ctx, command); err != nil {
		return nil, err
	}
	if err := server.awaitReady(ctx); err != nil {
		server.process.Kill()
		return nil, fmt.Errorf("start nats-server: %w; its log (%s) ends with\n%s", err, command.Log, tail(command.Log, from))
	}
	return server, nil
}

func (n *NATS) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		err := n.ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-n.process.Done():
			return errors.New("it ended before it answered")
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w", err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// ping reads the greeting, which a server sends before it asks who the client is.
func (n *NATS) ping(ctx context.Context) error {
	dialer := net.Dialer{Timeout: time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(n.Port)))
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err
	}
	var greeting struct {
		JetStream bool `json:"jetstream"`
	}
	body, found := strings.CutPrefix(line, "INFO ")
	if !found {
		return errors.New("what listens there is no nats-server")
	}
	if err := json.Unmarshal([]byte(body), &greeting); err != nil {
		return err
	}
	if !greeting.JetStream {
		return errors.New("JetStream is not ready")
	}
	return nil
}

// URL is where clients find the server.
func (n *NATS) URL() string { return "nats://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(n.Port)) }

// Process is the server's process.
func (n *NATS) Process() *Process { return n.process }

// Stop lets the server finish and waits until it is gone.
func (n *NATS) Stop(ctx context.Context) error { return n.process.Stop(ctx) }

func natsPIDFile(dir string) string { return filepath.Join(dir, "nats.pid") }

// stopOrphanNATS keeps two servers from writing the same streams: nats-server takes no lock.
func stopOrphanNATS(ctx context.Context, dir string) error {
	content, err := os.ReadFile(natsPIDFile(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil || pid <= 0 || !runsWith(pid, "nats-server", dir) {
		return nil
	}
	return stopOrphan(ctx, pid, "nats-server", dir, syscall.SIGTERM)
}
