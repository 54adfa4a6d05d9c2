package ssh

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/handclasp/handclasp/probe"
)

// script serves each connection by f, on loopback.
func script(t *testing.T, f func(c net.Conn)) probe.Target {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer c.Close()
				f(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		running.Wait()
	})
	return probe.Target{Addr: netip.MustParseAddrPort(l.Addr().String())}
}

// group is a server's choice of a group of so many bits, and its reply to a public value that it doesn't wait for.
func group(bits int) []byte {
	p := bytes.Repeat([]byte{0xff}, bits/8)
	mpint := func(b []byte) []byte {
		return append(binary.BigEndian.AppendUint32(nil, uint32(len(b)+1)), append([]byte{0}, b...)...)
	}
	choice := packet(append(append([]byte{msgGexGroup}, mpint(p)...), 0, 0, 0, 1, 3)) // powers of 2 are short by this modulus, some so short that the guard refuses them
	y := append([]byte{msgGexReply, 0, 0, 0, 0}, mpint(p[1:])...)
	return append(choice, packet(append(y, 0, 0, 0, 0))...)
}

// chooses is a server whose group has so many bits; chosen is told of each connection that was given it.
func chooses(t *testing.T, bits int, chosen func()) probe.Target {
	none := []string{"none"}
	ciphers, macs := []string{"aes128-ctr"}, []string{"hmac-sha2-256"}
	lists := packet(ssh.Marshal(&kexInit{
		Kex: []string{ssh.KeyExchangeDHGEXSHA256}, HostKey: []string{ssh.KeyAlgoED25519},
		CiphersClientToServer: ciphers, CiphersServerToClient: ciphers, MACsClientToServer: macs, MACsServerToClient: macs,
		CompressionClientToServer: none, CompressionServerToClient: none,
	}))
	said := group(bits)
	return script(t, func(c net.Conn) {
		in := bufio.NewReader(c)
		_, _ = c.Write(append([]byte("SSH-2.0-hostile\r\n"), lists...))
		if _, err := in.ReadBytes('\n'); err != nil {
			return
		}
		for range 2 { // its lists and its request
			var size [4]byte
			if _, err := io.ReadFull(in, size[:]); err != nil {
				return
			}
			if _, err := in.Discard(int(binary.BigEndian.Uint32(size[:]))); err != nil {
				return
			}
		}
		_, _ = c.Write(said)
		chosen()
		_, _ = io.Copy(io.Discard, in)
	})
}

// However many servers keep the library computing at once, whoever waits for the end of the probes waits for less than 50 ms.
// A machine that is busy with something else gets further tries.
func TestCancelAmongLargeGroups(t *testing.T) {
	for _, servers := range []int{1, 4, 20} {
		var worst time.Duration
		for range 24 {
			if worst = cancelAll(t, servers); worst < 50*time.Millisecond {
				break
			}
		}
		require.Less(t, worst, 50*time.Millisecond, "%d servers", servers)
	}
}

// cancelAll returns the longest time that a probe took to return after its context was canceled, while each of so many servers
// has just given it a group of 8192 bits.
func cancelAll(t *testing.T, servers int) (worst time.Duration) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var given, running sync.WaitGroup
	given.Add(servers)
	target := chooses(t, maxGroup, given.Done)
	var mu sync.Mutex
	var canceled time.Time
	for range servers {
		running.Go(func() {
			r := probe.Run(ctx, Prober{}, target, nil)
			at := time.Now()
			mu.Lock()
			defer mu.Unlock()
			require.Equal(t, probe.OutcomeCanceled, r.Outcome, "%v", r.Err)
			worst = max(worst, at.Sub(canceled))
		})
	}
	given.Wait()
	time.Sleep(20 * time.Millisecond) // they read it, and begin
	mu.Lock()
	canceled = time.Now()
	mu.Unlock()
	cancel()
	running.Wait()
	return worst
}

// No more of the library computes at once than there are places, whatever the servers do.
func TestPlacesForLargeGroups(t *testing.T) {
	idle := func() bool { return len(arithmetic) == 0 }
	require.Eventually(t, idle, 10*time.Second, time.Millisecond, "what other tests began")
	taps := make([]*slow[string], 3*cap(arithmetic))
	var working sync.WaitGroup
	var may atomic.Int64
	for i := range taps {
		taps[i] = newSlow(newTap[string](sink{io.Discard}, "SSH-2.0-x", longestCipher))
		taps[i].ahead = nil
		working.Go(func() {
			if taps[i].work() {
				may.Add(1)
			}
		})
	}
	require.Eventually(t, func() bool { return len(arithmetic) == cap(arithmetic) }, 10*time.Second, time.Millisecond)
	for _, tap := range taps { // those who wait give up, those who compute give their place back when they are done
		_ = tap.Close()
	}
	working.Wait()
	require.Len(t, arithmetic, cap(arithmetic))
	require.EqualValues(t, cap(arithmetic), may.Load())
	for _, tap := range taps {
		tap.rest()
		tap.rest()
	}
	require.Empty(t, arithmetic)
}

// A group above what was asked for is no group to compute in.
func TestHugeGroup(t *testing.T) {
	for bits, outcome := range map[int]probe.Outcome{maxGroup + 8: probe.OutcomeMalformed, 2040: probe.OutcomeMalformed} {
		r := probe.Run(t.Context(), Prober{}, chooses(t, bits, func() {}), nil)
		require.Equal(t, outcome, r.Outcome)
		for _, e := range r.Transcript {
			require.NotEqual(t, "KEX_DH_GEX_INIT", e.Label, "%d bits", bits)
		}
		e, _ := probe.As[*Evidence](r)
		require.NotNil(t, e.Algorithms)
	}
}

// Group sizes come whole, small and large, since nothing is computed with them.
func TestGroupSizes(t *testing.T) {
	for _, bits := range []int{512, 1024, 2048, 16384} {
		r := probe.Run(t.Context(), Prober{GroupExchange: true}, chooses(t, bits, func() {}), nil)
		e, _ := probe.As[*Evidence](r)
		require.Len(t, e.GroupExchange, len(groupSizesAsked))
		for _, g := range e.GroupExchange {
			require.Equal(t, bits, g.Bits)
		}
	}
}

// penalties is OpenSSH's arithmetic of PerSourcePenalties (srclimit.c of 9.8 and later) with its defaults: a second for each
// connection without a login, and none gets in once more than fifteen are outstanding.
type penalties struct {
	mu     sync.Mutex
	expiry time.Time
	active bool
}

func (p *penalties) admits() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Now().After(p.expiry) {
		p.expiry, p.active = time.Now(), false
	}
	if p.active {
		return false
	}
	p.expiry = p.expiry.Add(time.Second)
	p.active = time.Until(p.expiry) > 15*time.Second
	return true
}

// Six scans in a row get the lists each, of a server with the three keys of OpenSSH's defaults; what the server then has enough
// of are host keys alone.
func TestSixScansInARow(t *testing.T) {
	p := new(penalties)
	s := &inner{refused: func() bool { return !p.admits() }}
	target := s.start(t)
	for i := range 6 {
		r := probe.Run(t.Context(), Prober{}, target, nil)
		e, _ := probe.As[*Evidence](r)
		require.NotNil(t, e.Algorithms, "scan %d", i+1)
		require.NotEmpty(t, e.HostKeys)
		if r.Outcome != probe.OutcomeOK {
			require.Equal(t, probe.OutcomeBusy, r.Outcome, "%v", r.Err)
			require.Equal(t, []string{"/evidence/host_keys"}, r.Partial)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	require.LessOrEqual(t, s.conns, 18)
}

// Whether the library is led into a group of numbers is told from the server's lists alone: by the first method of ours among
// them, whatever methods of its own the server puts before that.
func TestLargeGroupsByTheLists(t *testing.T) {
	numbers := map[string]bool{
		"curve25519-sha256": false, "curve25519-sha256@libssh.org": false, "mlkem768x25519-sha256": false,
		"ecdh-sha2-nistp256": false, "ecdh-sha2-nistp384": false, "ecdh-sha2-nistp521": false,
		"diffie-hellman-group1-sha1": true, "diffie-hellman-group14-sha1": true, "diffie-hellman-group14-sha256": true,
		"diffie-hellman-group16-sha512": true, "diffie-hellman-group-exchange-sha1": true, "diffie-hellman-group-exchange-sha256": true,
	}
	require.Len(t, numbers, len(offeredKex))
	lists := func(methods ...string) []byte { return ssh.Marshal(&kexInit{Kex: methods}) }
	foreign := []string{"sm2kep-sha2-nistp256", "diffie-hellman-group18-sha512", "ext-info-s"}
	for method, large := range numbers {
		require.Contains(t, offeredKex, method)
		require.Equal(t, large, largeGroups(lists(method)), method)
		require.Equal(t, large, largeGroups(lists(append(foreign, method)...)), method)
	}
	require.False(t, largeGroups(lists("diffie-hellman-group-exchange-sha256", "curve25519-sha256")), "ours is first")
	require.False(t, largeGroups(lists(foreign...)), "nothing in common")
}
