package up

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// errOldGateway means that a gateway can't be told anything while it runs.
var errOldGateway = errors.New("the gateway is of an older build")

// putRoutes replaces a gateway's table of routes.
func putRoutes(ctx context.Context, opsURL string, table []byte) error {
	return askGateway(ctx, http.MethodPut, opsURL+"/routes", table)
}

// deleteHold lets go of all requests that a gateway holds.
func deleteHold(ctx context.Context, opsURL string) error {
	return askGateway(ctx, http.MethodDelete, opsURL+"/hold", nil)
}

func askGateway(ctx context.Context, method, at string, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second) // a release is paced
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, at, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	switch {
	case response.StatusCode == http.StatusNotFound:
		return errOldGateway
	case response.StatusCode >= http.StatusBadRequest:
		return fmt.Errorf("%s %s answers %s: %s", method, at, response.Status, bytes.TrimSpace(said))
	}
	return err
}
