package up

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
)

// claimServer makes this the only lab on a server that is not its own, until it stops or is gone. The roles belong to
// the whole server, so a second lab there would change the first one's passwords under its processes.
func (l *Lab) claimServer(ctx context.Context) error {
	conn, err := l.claim(ctx)
	if errors.Is(err, postgres.ErrClaimed) {
		return fmt.Errorf("another lab, or its tests, work on the server of DATABASE_URL (%w): stop them first, or start this "+
			"lab without DATABASE_URL, on a server of its own", err)
	}
	if err != nil {
		return err
	}
	claimed, unclaim := context.WithCancel(context.Background())
	l.unclaim = unclaim
	l.watches.Go(func() { l.holdClaim(claimed, conn) })
	return nil
}

func (l *Lab) claim(ctx context.Context) (*pgx.Conn, error) {
	location, err := inDatabase(l.admin, "postgres")
	if err != nil {
		return nil, err
	}
	host, _ := os.Hostname() // only for the eyes of others
	return postgres.Claim(ctx, location, fmt.Sprintf("lab, process %d on %s", os.Getpid(), host), false)
}

// holdClaim claims the server again after a restart of it, which ends the claim.
func (l *Lab) holdClaim(claimed context.Context, conn *pgx.Conn) {
	const every = 2 * time.Second
	for {
		select {
		case <-claimed.Done():
			if conn != nil {
				_ = conn.Close(context.Background())
			}
			return
		case <-time.After(every):
		}
		if conn != nil && conn.Ping(claimed) != nil && claimed.Err() == nil {
			_ = conn.Close(context.Background())
			conn = nil
		}
		if conn == nil {
			conn, _ = l.claim(claimed) // while the server is away this fails, and is tried again
		}
	}
}
