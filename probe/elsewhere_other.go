//go:build !linux

package probe

import (
	"context"
	"net"
)

// dialDatagrams dials a UDP connection, which hears its target alone.
func dialDatagrams(ctx context.Context, d *net.Dialer, network, address string) (net.Conn, error) {
	return d.DialContext(ctx, network, address)
}
