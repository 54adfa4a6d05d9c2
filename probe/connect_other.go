//go:build !linux

package probe

import (
	"context"
	"net"
	"net/netip"
	"time"
)

func (s *Session) connect(ctx context.Context, to netip.AddrPort, due time.Time) (net.Conn, error) {
	return s.dialSystem(ctx, to, due)
}
