//go:build !linux

package dialer

import "syscall"

// bindTo returns nil: connections come from the interface's address.
func bindTo(string) func(network, address string, c syscall.RawConn) error { return nil }
