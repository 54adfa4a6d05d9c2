package smb

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/fakesmb"
	"github.com/handclasp/handclasp/probe"
)

// Wherever a server falls silent, the caller's end of patience is the end, and nothing stays behind.
func TestAnonymousStalls(t *testing.T) {
	before := runtime.NumGoroutine()
	for answered := range 10 {
		server := serve(fakesmb.Visit{})
		ctx, cancel := context.WithCancel(t.Context())
		near, far := net.Pipe()
		go func() {
			for n := 0; ; n++ {
				var head [frameSize]byte
				if _, err := io.ReadFull(far, head[:]); err != nil {
					return
				}
				request := make([]byte, int(head[2])<<8|int(head[3]))
				if _, err := io.ReadFull(far, request); err != nil {
					return
				}
				if n < answered {
					_, _ = far.Write(server.stream(request))
					continue
				}
				cancel()
			}
		}()
		start := time.Now()
		r := probe.Run(ctx, visitor{"3.1.1"}, probe.Target{Addr: netip.MustParseAddrPort("192.0.2.7:445")}, &probe.Options{
			Level: probe.LevelAnonymous,
			Dial:  func(context.Context, string, string) (net.Conn, error) { return near, nil },
		})
		if answered < 9 {
			require.Equal(t, probe.OutcomeCanceled, r.Outcome, "%d answers: %v", answered, r.Err)
		}
		require.Less(t, time.Since(start), 5*time.Second)
		cancel()
		_ = far.Close()
	}
	settle(t, before)
}

// A context that ends between the messages ends the session as well, and is no fault of the server's.
func TestAnonymousCanceledBetween(t *testing.T) {
	for answered := range 9 {
		server := serve(fakesmb.Visit{})
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		r := probe.Run(ctx, visitor{"3.1.1"}, probe.Target{Addr: netip.MustParseAddrPort("192.0.2.7:445")}, &probe.Options{
			Level: probe.LevelAnonymous,
			Dial: func(context.Context, string, string) (net.Conn, error) {
				return &fakeConn{answer: func(request []byte) []byte {
					if n++; n > answered {
						cancel()
					}
					return server.stream(request)
				}}, nil
			},
		})
		require.Equal(t, probe.OutcomeCanceled, r.Outcome, "%d answers: %v", answered, r.Err)
		cancel()
	}
}

// allocated returns how many bytes f allocates in all goroutines.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

const mostMemory = 2 << 20

// No answer makes a session allocate more than 2 MiB, counting what is freed again and the transcript.
func TestAnonymousMemory(t *testing.T) {
	empty := func(n int) []fakesmb.Share { return make([]fakesmb.Share, n) }
	huge := func(first byte) func([]byte) []byte {
		return func([]byte) []byte {
			m := bytes.Repeat([]byte{first}, maxMessage)
			copy(m, magicSMB2)
			return frame(m)
		}
	}
	pad := func(f *fakeServer, size int) func([]byte) []byte {
		return func(request []byte) (stream []byte) {
			for _, m := range f.answer(request) {
				stream = append(stream, frame(append(m, make([]byte, size)...))...)
			}
			return stream
		}
	}
	garbage := rand.New(rand.NewPCG(1, 2))
	for name, answer := range map[string]func([]byte) []byte{
		"a session":            serve(fakesmb.Visit{Shares: empty(10)}).stream,
		"many small shares":    serve(fakesmb.Visit{Shares: empty(1500), Fragment: 4200}).stream,
		"many small fragments": serve(fakesmb.Visit{Shares: empty(1500), Fragment: 40}).stream,
		"nulls":                nullShares(maxShares),
		"more nulls":           nullShares(9000),
		"a long list":          serve(fakesmb.Visit{Shares: fakeShares(longList(1000, 40)), Fragment: 4200}).stream,
		"parts":                serve(fakesmb.Visit{Shares: empty(1500), Fragment: 4200, Part: 60}).stream,
		"promises":             serve(fakesmb.Visit{Shares: empty(1500), Interim: maxInterim}).stream,
		"large messages":       pad(serve(fakesmb.Visit{Shares: empty(700), Fragment: 3000}), 24<<10),
		"larger messages":      pad(serve(fakesmb.Visit{Shares: empty(700), Fragment: 3000}), maxMessage-5<<10),
		"the largest":          huge(0),
		"the largest of 0xff":  huge(0xff),
		"endless":              func([]byte) []byte { return bytes.Repeat([]byte{0x85, 0, 0, 0}, 100000) },
		"noise": func([]byte) []byte {
			m := make([]byte, maxMessage)
			for i := range m {
				m[i] = byte(garbage.Uint32())
			}
			return m
		},
	} {
		t.Run(name, func(t *testing.T) {
			var answers [][]byte // what the server's memory is needed for
			visitServer("3.1.1", func(request []byte) []byte {
				answers = append(answers, answer(request))
				return answers[len(answers)-1]
			})
			var r *probe.Result
			n := allocated(func() {
				r = visitServer("3.1.1", func([]byte) (stream []byte) {
					stream, answers = answers[0], answers[1:]
					return stream
				})
			})
			t.Logf("%d KiB, %s %v", n>>10, r.Outcome, r.Err)
			require.LessOrEqual(t, n, uint64(mostMemory))
		})
	}
}

// nullShares answers with a list of shares that have neither name nor comment: the most entries in the fewest bytes.
func nullShares(n int) func([]byte) []byte {
	f := serve(fakesmb.Visit{Shares: make([]fakesmb.Share, n), Fragment: 4200})
	stub := fakesmb.ShareList(nil, 0)
	list := append([]byte{}, stub[:24]...)
	le.PutUint32(list[12:], uint32(n))
	le.PutUint32(list[20:], uint32(n))
	list = append(append(list, make([]byte, 12*n)...), stub[24:]...)
	f.List = list
	return f.stream
}

// A script tells a server what to do with its answers, a few bytes for each of them, from its beginning on. A server
// without a script answers well.
//
//	0            as it should
//	1 n …        n*4 bytes in place of the answer
//	2 n (at b)…  n bytes of the answer are replaced: at is of two bytes, counted from the frame on
//	3 n …        n*4 bytes in place of the body, behind a good header and in a good frame
//	4 n …        n*4 bytes in place of what came out of the pipe, in a good response
//	5 s s s s    another status, with the body as it should be
//	6 n          the answer is cut by n bytes, and its frame says so
//	7 n          n*16 bytes behind the answer, and its frame says so
//	8            a promise before the answer
//	9            the last answer again
//	10 f         the session's flags, or the share's if there is a session
//	11 …         what follows is of the same answer
//	other        hang up
type script struct {
	data   []byte
	server fakeServer
	last   []byte
}

func (s *script) take(n int) []byte {
	n = min(n, len(s.data))
	b := s.data[:n]
	s.data = s.data[n:]
	return b
}

func (s *script) number() int {
	if b := s.take(1); len(b) == 1 {
		return int(b[0])
	}
	return 0
}

// stream answers a request.
func (s *script) stream(request []byte) (stream []byte) {
	var prefix []byte
	for {
		op := s.number()
		switch op {
		case 8:
			s.server.Interim++
			continue
		case 10:
			f := uint16(s.number())
			s.server.Flags, s.server.ShareFlags = f, uint32(f)<<8
			continue
		}
		messages := s.server.answer(request)
		m := messages[len(messages)-1]
		for _, promise := range messages[:len(messages)-1] {
			prefix = append(prefix, frame(promise)...)
		}
		s.server.Interim = 0
		for op == 11 {
			m = s.change(s.number(), m)
			op = s.number()
		}
		switch m = s.change(op, m); op {
		case 1:
			stream = append(prefix, m...)
		case 9:
			stream = append(prefix, s.last...)
		case 0, 2, 3, 4, 5, 6, 7:
			stream = append(prefix, frame(m)...)
			if op == 2 {
				s.replace(stream[len(prefix):]) // which has four bytes at least
			}
		}
		s.last = stream
		return stream
	}
}

// change carries out an instruction that leaves the frame good.
func (s *script) change(op int, m []byte) []byte {
	if len(m) < headerSize {
		return m // an instruction before this one cut it
	}
	switch op {
	case 1:
		return append([]byte{}, s.take(4*s.number())...)
	case 3:
		return append(m[:headerSize:headerSize], s.take(4*s.number())...)
	case 4:
		data := s.take(4 * s.number())
		switch command := le.Uint16(m[12:]); {
		case command == commandIoctl && len(m) >= headerSize+48:
			m = append(m[:headerSize+48:headerSize+48], data...)
			le.PutUint32(m[headerSize+36:], uint32(len(data)))
		case command == commandRead && len(m) >= headerSize+16:
			m = append(m[:headerSize+16:headerSize+16], data...)
			le.PutUint32(m[headerSize+4:], uint32(len(data)))
		}
	case 5:
		copy(m[8:12], s.take(4))
	case 6:
		return m[:max(0, len(m)-s.number())]
	case 7:
		return append(m, make([]byte, 16*s.number())...)
	}
	return m
}

func (s *script) replace(frame []byte) {
	for range s.number() {
		if b := s.take(3); len(b) == 3 {
			frame[(int(b[0])<<8|int(b[1]))%len(frame)] = b[2]
		}
	}
}

// Whatever a server answers, the process goes on, nothing hangs or is left behind, no more than 2 MiB are allocated, and
// the evidence can be stored. The first byte chooses the dialect and the list of shares.
func FuzzAnonymous(f *testing.F) {
	f.Add([]byte{})
	for i := range byte(32) {
		f.Add([]byte{i})
	}
	for op := range byte(12) {
		for at := range 9 {
			f.Add(append(append([]byte{byte(at) << 2}, make([]byte, at)...), op, 3, 0, 0, 0, 0, 0, 0, 5, 0, 0))
		}
	}
	for _, seed := range recordedScripts(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := runtime.NumGoroutine()
		start := time.Now()
		var r *probe.Result
		most := uint64(mostMemory + len(data)*64) // the server's own
		n := allocated(func() { r = visitScript(data) })
		for range 3 {
			if n > most { // perhaps it wasn't the session
				n = min(n, allocated(func() { r = visitScript(data) }))
			}
		}
		if n > most {
			t.Fatalf("%d bytes allocated", n)
		}
		if d := time.Since(start); d > 10*time.Second {
			t.Fatalf("took %v: %v", d, r.Err)
		}
		switch r.Outcome {
		case probe.OutcomeInternal, probe.OutcomeForbidden, probe.OutcomeTimeout, probe.OutcomeCanceled:
			t.Fatalf("%s: %v", r.Outcome, r.Err)
		}
		storable(t, r)
		settle(t, before)
	})
}

func visitScript(data []byte) *probe.Result {
	s := script{data: data}
	choice := s.number()
	dialect := []string{"3.1.1", "2.0.2", "3.0", "2.1"}[choice&3]
	s.server.Shares = fakeShares(longList(choice>>2&3*40, 3))
	s.server.Fragment = []int{0, 60, 1000, 4200}[choice>>4&3]
	s.server.Part = []int{0, 0, 48, 500}[choice>>6&3]
	return visitServer(dialect, s.stream)
}

// settle waits for the goroutines to be no more than before.
func settle(t testing.TB, before int) {
	t.Helper()
	for wait := time.Microsecond; runtime.NumGoroutine() > before; wait *= 2 {
		if wait > 5*time.Second {
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks())
		}
		time.Sleep(wait)
	}
}

// storable checks that a result can be stored and read again.
func storable(t testing.TB, r *probe.Result) {
	t.Helper()
	stored, err := json.Marshal(r)
	require.NoError(t, err)
	_, err = probe.Decode(stored)
	require.NoError(t, err)
}

func stacks() string {
	b := make([]byte, 64<<10)
	return string(b[:runtime.Stack(b, true)])
}

// recordedScripts has the recorded servers say what they said.
func recordedScripts(f *testing.F) (seeds [][]byte) {
	for _, rec := range recordedVisits(f) {
		if !strings.Contains(string(rec.Format()), "NEGOTIATE 3.1.1\n") {
			continue
		}
		seed := []byte{0} // 3.1.1
		for _, e := range rec.Transcript {
			if e.Dir == probe.DirRecv && len(e.Data) < 4*256 {
				padded := append(e.Data, make([]byte, -len(e.Data)&3)...)
				seed = append(append(seed, 1, byte(len(padded)/4)), padded...)
			}
		}
		seeds = append(seeds, seed)
	}
	return seeds
}
