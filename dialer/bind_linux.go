package dialer

import (
	"context"
	"net"
	"syscall"
)

// bindTo returns what binds sockets to an interface, nil if that isn't permitted: systems before Linux 5.7 want
// CAP_NET_RAW for it.
func bindTo(name string) func(network, address string, c syscall.RawConn) error {
	bind := func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) {
			failed = syscall.SetsockoptString(int(fd), syscall.SOL_SOCKET, syscall.SO_BINDTODEVICE, name)
		})
		if err != nil {
			return err
		}
		return failed
	}
	c, err := (&net.ListenConfig{Control: bind}).ListenPacket(context.Background(), "udp", ":0")
	if err != nil {
		return nil
	}
	_ = c.Close()
	return bind
}
