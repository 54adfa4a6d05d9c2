package probe

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// A socket is a TCP connection that was opened by connect.
type socket struct {
	*os.File
	peer          syscall.Sockaddr
	answer        error // to the call
	local, remote netip.AddrPort
}

// connect opens a TCP connection to an address that needs no looking up; see docs/decisions/033-connecting.md. It ends with the
// session, and when ctx does.
func (s *Session) connect(ctx context.Context, to netip.AddrPort, due time.Time) (net.Conn, error) {
	if to.Addr().Zone() != "" { // the system wants to know it by number
		return s.dialSystem(ctx, to, due)
	}
	c, err := newSocket(to)
	if err != nil {
		return nil, err
	}
	if s.owns(ctx) {
		err = s.establish(c, due)
	} else {
		err = s.establishWithin(ctx, c, due)
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// newSocket calls, without waiting for the answer.
func newSocket(to netip.AddrPort) (*socket, error) {
	c := &socket{remote: to}
	family := syscall.AF_INET
	if to.Addr().Is4() {
		c.peer = &syscall.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}
	} else {
		family, c.peer = syscall.AF_INET6, &syscall.SockaddrInet6{Port: int(to.Port()), Addr: to.Addr().As16()}
	}
	fd, err := syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, syscall.IPPROTO_TCP)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	if err = syscall.Connect(fd, c.peer); err != nil && !underWay(err) {
		_ = syscall.Close(fd)
		return nil, os.NewSyscallError("connect", err)
	}
	c.File = os.NewFile(uintptr(fd), "")
	return c, nil
}

func underWay(err error) bool {
	return err == syscall.EINPROGRESS || err == syscall.EALREADY || err == syscall.EINTR
}

// establish waits until the call was answered.
func (s *Session) establish(c *socket, due time.Time) error {
	if !s.calling(c) {
		return context.Canceled
	}
	defer s.called(c)
	if err := c.SetDeadline(due); err != nil { // for both ways, which takes one timer, and moves it later
		return err
	}
	raw, err := c.SyscallConn()
	if err == nil {
		err = raw.Write(c.answered)
	}
	if err == nil {
		err = c.answer
	}
	return err
}

func (s *Session) establishWithin(ctx context.Context, c *socket, due time.Time) error {
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(past) })
	err := s.establish(c, due)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	return err
}

// answered reports whether the call was answered, and notes how.
func (c *socket) answered(fd uintptr) bool {
	err := syscall.Connect(int(fd), c.peer)
	switch {
	case underWay(err):
		return false
	case err == nil || err == syscall.EISCONN:
		if c.local, err = localOf(int(fd)); c.local == c.remote { // the port that it was given is the one that was called: nobody listens
			err = syscall.ECONNREFUSED
		}
	}
	c.answer = os.NewSyscallError("connect", err)
	return true
}

func localOf(fd int) (netip.AddrPort, error) {
	a, err := syscall.Getsockname(fd)
	switch a := a.(type) {
	case *syscall.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)), nil
	case *syscall.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port)), nil
	}
	return netip.AddrPort{}, err
}

func (c *socket) Read(p []byte) (int, error) {
	n, err := c.File.Read(p)
	return n, ofSocket(err)
}

func (c *socket) Write(p []byte) (int, error) {
	n, err := c.File.Write(p)
	return n, ofSocket(err)
}

// ofSocket takes the file out of an error of package os.
func ofSocket(err error) error {
	failed, ok := err.(*fs.PathError)
	if !ok {
		return err
	}
	var number syscall.Errno
	switch {
	case errors.Is(failed.Err, os.ErrClosed):
		return net.ErrClosed
	case errors.As(failed.Err, &number):
		return os.NewSyscallError(failed.Op, number)
	}
	return failed.Err
}

func (c *socket) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(c.local) }
func (c *socket) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }
