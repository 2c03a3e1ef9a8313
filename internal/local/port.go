package local

import (
	"fmt"
	"net"
	"strconv"
)

// FreePort returns a TCP port of 127.0.0.1 that was free a moment ago. Another process may
// take it first, so that a server started on it can fail to bind; try again then.
func FreePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// CheckPort returns an error that says what to do if something listens on this port of 127.0.0.1.
func CheckPort(port int) error {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return fmt.Errorf("port %d of 127.0.0.1 is taken: stop what uses it (lsof -nP -iTCP:%d -sTCP:LISTEN "+
			"shows it), or choose another port: %w", port, port, err)
	}
	return listener.Close()
}
