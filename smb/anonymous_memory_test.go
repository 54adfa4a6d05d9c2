package smb

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/fakesmb"
	"github.com/handclasp/handclasp/probe"
)

// allocated returns how many bytes f allocates in all goroutines.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

const mostMemory = 2 << 20

// No answer makes a session allocate more than 2 MiB, counting what is freed again, the transcript and the library.
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
