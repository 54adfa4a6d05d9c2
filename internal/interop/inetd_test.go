package interop_test

import (
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
)

// inetd serves spec's command, started anew for every connection, as inetd does: the connection is its standard input
// and output. spec's Listen is chosen here.
func inetd(t testing.TB, spec process) netip.AddrPort {
	t.Helper()
	l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(loopback, uint16(freePort(t)))))
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(serverDir(t, ""), "stderr")
	stderr, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var ids []int // of those that run, or have left somebody behind: the kernel gives the others' to strangers
	var accepting, served sync.WaitGroup
	accepting.Go(func() {
		for {
			c, err := l.AcceptTCP()
			if err != nil {
				return // closed by the cleanup
			}
			cmd, err := serveConn(spec, c, stderr)
			if err != nil {
				t.Error(err)
				continue
			}
			id := cmd.Process.Pid
			mu.Lock()
			ids = append(ids, id)
			mu.Unlock()
			served.Go(func() {
				_ = cmd.Wait() // the server's verdict is what it said on the connection
				if len(members([]int{id})) > 0 {
					return
				}
				mu.Lock()
				defer mu.Unlock()
				ids = slices.DeleteFunc(ids, func(other int) bool { return other == id })
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		accepting.Wait()
		mu.Lock()
		left := slices.Clone(ids)
		mu.Unlock()
		terminate(left)
		served.Wait()
		stderr.Close()
		if t.Failed() {
			t.Log(tail(append(spec.Logs, log)...))
		}
	})
	return netip.MustParseAddrPort(l.Addr().String())
}

func serveConn(spec process, c *net.TCPConn, stderr *os.File) (*exec.Cmd, error) {
	defer c.Close()
	f, err := c.File()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	cmd := exec.Command(spec.Path, spec.Args...)
	cmd.Dir, cmd.Env = spec.Dir, serverEnv(spec)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = f, f, stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	return cmd, cmd.Start()
}
