package up

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
)

// Serves says whether an address is one of this lab's fronts, however it is spelled.
func (s *State) Serves(at string) bool {
	given, err := hostPort(at)
	if err != nil {
		return false
	}
	for _, front := range []string{s.MonolithURL, s.GatewayURL, s.FacadeURL} {
		if own, err := hostPort(front); err == nil && own == given {
			return true
		}
	}
	return false
}

// OutsideBeside lists where the world outside of a lab may be, one of whose fronts is at the given address: on the
// same host, for each kind of front that it may be, at the port that follows from the port offset.
func OutsideBeside(at string) ([]string, error) {
	given, err := hostPort(at)
	if err != nil {
		return nil, err
	}
	host, text, err := net.SplitHostPort(given)
	if err != nil {
		return nil, fmt.Errorf("there is no shop at %s: %w", at, err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("there is no shop at %s: %w", at, err)
	}
	var beside []string
	for _, front := range []string{"gateway", "monolith", facade} {
		if offset := port - ports[front].Public; offset >= 0 {
			beside = append(beside, "http://"+net.JoinHostPort(host, strconv.Itoa(ports["outside"].Public+offset)))
		}
	}
	return beside, nil
}

// hostPort is where a URL leads.
func hostPort(at string) (string, error) {
	location, err := url.Parse(at)
	if err != nil || location.Hostname() == "" {
		return "", fmt.Errorf("%q is no address of a shop: it has to look like http://127.0.0.1:8090", at)
	}
	host, port := location.Hostname(), location.Port()
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if port == "" {
		port = map[string]string{"https": "443"}[location.Scheme]
	}
	if port == "" {
		port = "80"
	}
	return net.JoinHostPort(host, port), nil
}
