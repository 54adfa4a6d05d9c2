package ssh

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
)

// errLarge ends the library when the server's lists have led to a large group.
var errLarge = errors.New("a large group")

// arithmetic has a place for each who may compute in a large group at once, over all probes. A group of 8192 bits, which a
// server is free to choose, keeps a core busy for a second, and the library can't be interrupted meanwhile: without a bound
// twenty such servers would keep every core from whoever waits to be woken.
var arithmetic = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))

// A slow tap is one whose library computes in a large group while it neither reads nor writes.
type slow[A any] struct {
	*tap[A]

	claimed bool // one of the library's goroutines waits for a place, or has it; guarded by tap.mu, as are the next two
	working bool // it may, since it has a place among those who do
	ended   bool // the library returned
	leaving sync.Once
	gone    chan struct{} // closed with the tap
}

func newSlow[A any](t *tap[A]) *slow[A] { return &slow[A]{tap: t, gone: make(chan struct{})} }

func (t *slow[A]) Read(p []byte) (int, error)  { return t.between(p, t.tap.Read) }
func (t *slow[A]) Write(p []byte) (int, error) { return t.between(p, t.tap.Write) }

// between lets the library read or write.
func (t *slow[A]) between(p []byte, f func([]byte) (int, error)) (int, error) {
	t.rest()
	n, err := f(p)
	if !t.work() { // else the library would compute all the same with what it was given
		return 0, errDone
	}
	return n, err
}

func (t *slow[A]) Close() error {
	t.leaving.Do(func() { close(t.gone) })
	return t.tap.Close()
}

// work waits for a place, if the library is to compute with what it was given. It has it until it reads or writes again. One
// is enough for all of its goroutines, of which one computes and the others wait for it. It reports false if nobody waits for
// the result any more.
func (t *slow[A]) work() bool {
	t.mu.Lock()
	begun := t.again == 0 && len(t.ahead) == 0  // it has said and heard the lists
	wanted := begun && !t.newKeys && !t.claimed // behind its own NEWKEYS all is computed
	t.claimed = t.claimed || wanted
	t.mu.Unlock()
	if !wanted {
		return true
	}
	select {
	case arithmetic <- struct{}{}:
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.ended {
			<-arithmetic
			return false
		}
		t.working = true
		return true
	case <-t.gone:
		return false
	}
}

// rest gives the place back.
func (t *slow[A]) rest() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.working {
		t.working, t.claimed = false, false
		<-arithmetic
	}
}

// end gives the place back for good: the library has returned, and what its other goroutines still read is lost.
func (t *slow[A]) end() {
	t.mu.Lock()
	t.ended = true
	t.mu.Unlock()
	t.rest()
}

// apart lets the library talk in a goroutine of its own, whose end isn't waited for longer than ctx: a large group keeps it busy
// for a while, during which it doesn't listen.
func (x *exchange) apart(ctx context.Context, talk func() error) error {
	ended := make(chan error, 1)
	go func() { ended <- talk() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return x.contextError(ctx)
	}
}

// draws is randomness of which the first bytes can be drawn again: those in the library's lists, of which the cookie has 16 and the
// padding less than 20.
type draws struct {
	io.Reader
	first [48]byte
	n     int
}

func (d *draws) Read(p []byte) (int, error) {
	n, err := d.Reader.Read(p)
	d.n += copy(d.first[d.n:], p[:n])
	return n, err
}

func (d *draws) again() io.Reader { return io.MultiReader(bytes.NewReader(d.first[:d.n]), d.Reader) }
