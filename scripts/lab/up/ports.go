package up

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// address is where a process listens, on 127.0.0.1. A port that is zero is one the process does not have.
type address struct {
	Public int
	Ops    int
	SMTP   int
}

// ports are the well-known ones, of first instances.
var ports = map[string]address{
	Monolith:        {Public: 8080, Ops: 8081},
	"gateway":       {Public: 8090, Ops: 8091},
	"facade":        {Public: 8092, Ops: 8093},
	"outside":       {Public: 8100, SMTP: 8125},
	"accounts":      {Public: 8101, Ops: 8201},
	"catalog":       {Public: 8102, Ops: 8202},
	"inventory":     {Public: 8103, Ops: 8203},
	"orders":        {Public: 8104, Ops: 8204},
	"payments":      {Public: 8105, Ops: 8205},
	"shipping":      {Public: 8106, Ops: 8206},
	"notifications": {Public: 8107, Ops: 8207},
	Trunk:           {Public: 8108, Ops: 8208}, // where there is no gateway, the gateway's
}

// betweenInstances is how far the ports of two instances of a service are apart.
const betweenInstances = 30

// portsOf are the well-known ports of a process.
func portsOf(process string) address {
	to := ports[ServiceOf(process)]
	further := betweenInstances * (instanceOf(process) - 1)
	to.Public += further
	to.Ops += further
	return to
}

func (a address) public() string { return onLoopback(a.Public) }
func (a address) ops() string    { return onLoopback(a.Ops) }
func (a address) smtp() string   { return onLoopback(a.SMTP) }
func (a address) url() string    { return "http://" + a.public() }

// opsURL is empty for a process without an ops port.
func (a address) opsURL() string {
	if a.Ops == 0 {
		return ""
	}
	return "http://" + a.ops()
}

func onLoopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// reservation holds ports until the processes that are to listen on them are started.
type reservation struct {
	addresses map[string]address

	mu   sync.Mutex
	held map[string][]net.Listener
}

// reserve takes the ports of the processes: the well-known ones plus an offset, or random ones. All that
// are taken by others are named in one error.
func reserve(ctx context.Context, processes []string, offset int, random bool) (*reservation, error) {
	r := &reservation{addresses: map[string]address{}, held: map[string][]net.Listener{}}
	var taken []error
	for _, process := range processes {
		to := portsOf(process)
		if process == Trunk && !slices.Contains(processes, "gateway") {
			to = portsOf("gateway") // customers come to the trunk itself
		}
		for _, port := range []*int{&to.Public, &to.Ops, &to.SMTP} {
			if *port == 0 {
				continue
			}
			listener, err := take(*port+offset, random)
			if err != nil {
				taken = append(taken, takenError(ctx, process, *port+offset, err))
				continue
			}
			*port = listener.Addr().(*net.TCPAddr).Port
			r.hold(process, listener)
		}
		r.addresses[process] = to
	}
	if len(taken) > 0 {
		r.releaseAll()
		return nil, fmt.Errorf("%w\nStop what uses them, or move the lab to other ports: lab up --port-offset %d",
			errors.Join(taken...), offset+10000)
	}
	return r, nil
}

// hold keeps a port for a process, whose start may be a long time off. Until then each connection is reset: one that the
// system accepted and nobody served would make a caller wait for an answer.
func (r *reservation) hold(process string, listener net.Listener) {
	r.held[process] = append(r.held[process], listener)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // it is closed: the process is about to listen here
			}
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		}
	}()
}

// spare takes free ports for a process that has none of its own, until its release.
func (r *reservation) spare(process string) (address, error) {
	var to address
	for _, port := range []*int{&to.Public, &to.Ops} {
		listener, err := take(0, true)
		if err != nil {
			r.release(process)
			return address{}, fmt.Errorf("find free ports for %s: %w", process, err)
		}
		*port = listener.Addr().(*net.TCPAddr).Port
		r.mu.Lock()
		r.hold(process, listener)
		r.mu.Unlock()
	}
	return to, nil
}

// take listens on a port, or on a random one below the range from which systems choose the ports
// of outgoing connections, one of which could otherwise take it between release and start.
func take(port int, random bool) (net.Listener, error) {
	if !random {
		return net.Listen("tcp", onLoopback(port))
	}
	for {
		listener, err := net.Listen("tcp", onLoopback(10_000+rand.IntN(20_000)))
		if err == nil || !errors.Is(err, syscall.EADDRINUSE) {
			return listener, err
		}
	}
}

// keep frees the ports of the processes that will not run, not even later. Where there is no gateway, the trunk takes its place.
func (r *reservation) keep(processes []string, step Step) {
	if front, reserved := r.addresses["gateway"]; reserved && step.Front() == Trunk {
		r.release(Trunk)
		r.addresses[Trunk], r.held[Trunk] = front, r.held["gateway"]
		delete(r.addresses, "gateway")
		delete(r.held, "gateway")
	}
	for process := range r.addresses {
		if !slices.Contains(processes, process) {
			r.release(process)
			delete(r.addresses, process)
		}
	}
}

// release frees the ports of a process, which is about to listen on them.
func (r *reservation) release(process string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, listener := range r.held[process] {
		_ = listener.Close()
	}
	delete(r.held, process)
}

func (r *reservation) releaseAll() {
	r.mu.Lock()
	held := slices.Collect(maps.Keys(r.held))
	r.mu.Unlock()
	for _, process := range held {
		r.release(process)
	}
}

func takenError(ctx context.Context, process string, port int, err error) error {
	if !errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d of 127.0.0.1, for %s, cannot be used: %w", port, process, err)
	}
	if holder := holderOf(ctx, port); holder != "" {
		return fmt.Errorf("port %d of 127.0.0.1, for %s, is taken by %s", port, process, holder)
	}
	return fmt.Errorf("port %d of 127.0.0.1, for %s, is taken by another program (lsof -nP -iTCP:%d -sTCP:LISTEN shows it)",
		port, process, port)
}

// holderOf names the process that listens on a port, if this system can tell.
func holderOf(ctx context.Context, port int) string {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "lsof", "-nP", fmt.Sprintf("-iTCP:%d", port), "-sTCP:LISTEN", "-Fpc").Output()
	if err != nil {
		return ""
	}
	var pid, program string
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "p") && pid == "":
			pid = line[1:]
		case strings.HasPrefix(line, "c") && program == "":
			program = line[1:]
		}
	}
	if pid == "" {
		return ""
	}
	return fmt.Sprintf("%s (pid %s)", program, pid)
}
