package interop_test

import (
	"net/netip"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// Some servers live at fixed ports, or want a network with a broadcast address. They get a network of their own, of
// which the machine's knows nothing.

// alone is the one address of such a network, beside loopback. Its prefix is that of TEST-NET-1 (RFC 5737).
var alone = netip.MustParseAddr("192.0.2.7")

// ownNetwork moves the test's goroutine, with what it dials and starts from now on, into a new network whose only other
// host is the end of a cable. The network is gone when the goroutine and the processes that it started are.
func ownNetwork(t testing.TB) {
	t.Helper()
	needRoot(t)
	ip := need(t, "ip")[0]
	runtime.LockOSThread() // for good: the thread ends with the goroutine
	if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
		unavailable(t, "network namespaces are not permitted here: %v", err)
	}
	for _, args := range []string{
		"link set lo up",
		"link add host type veth peer name far",
		"addr add " + alone.String() + "/24 broadcast + dev host",
		"link set host up",
		"link set far up",
	} {
		if out, err := exec.Command(ip, strings.Fields(args)...).CombinedOutput(); err != nil {
			unavailable(t, "ip %s: %v: %s", args, err, out)
		}
	}
}
