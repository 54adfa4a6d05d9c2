package ssh

import (
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"sync"
	"time"

	"github.com/handclasp/handclasp/probe"
)

// netConn is a net.Conn whose addresses are of type A. A protocol package has no business with package net, and the
// library only hands the addresses on.
type netConn[A any] interface {
	io.ReadWriteCloser
	LocalAddr() A
	RemoteAddr() A
	SetDeadline(t time.Time) error
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
}

// A tap stands between the library and the connection. It gives the library the identification that was read already,
// keeps what the server says before it is encrypted, and lets the two talk in an order that doesn't depend on which of
// the library's goroutines comes first, so that conversations replay.
type tap[A any] struct {
	netConn[A]

	mu      sync.Mutex
	turn    *sync.Cond    // something below changed
	ahead   []byte        // to be read first
	server  cleartext     // behind its identification
	sent    int           // messages
	cipher  int           // those of them that are encrypted
	costly  bool          // the library computes in a large group
	ended   bool          // the library returned
	claimed bool          // one of its goroutines waits for a place, or has it
	working bool          // it may, since it has a place among those who do
	longest int           // message inside the encryption
	gone    chan struct{} // closed with the tap
	newKeys bool          // the last message in the clear was sent
	closed  bool
	err     error // the first that the connection gave
}

func newTap[A any](c netConn[A], identification string, longest int) *tap[A] {
	t := &tap[A]{netConn: c, ahead: []byte(identification + "\r\n"), longest: longest, gone: make(chan struct{})}
	t.turn = sync.NewCond(&t.mu)
	return t
}

const (
	// A client says its identification and its lists without waiting for the server's (RFC 4253 §4.2, §7.1). Both are sent
	// before the server's lists are read.
	sentFirst = 2
	// mostCipher is what a client without a credential has to say: the service that it wants and the method none.
	mostCipher = 2
	// longestCipher is the length of the longer one, behind a user's name without a contact, with the longest padding and MAC.
	longestCipher = 160
)

var (
	errDone = errors.New("nothing more was asked") // ends the library when it would go on
	errMore = probe.Errorf("login", probe.OutcomeMalformed, "the server wants to hear more before it answers")
)

func (t *tap[A]) Read(p []byte) (int, error) {
	t.rest()
	defer t.work()
	t.mu.Lock()
	if len(t.ahead) > 0 {
		n := copy(p, t.ahead)
		t.ahead = t.ahead[n:]
		t.mu.Unlock()
		return n, nil
	}
	for t.err == nil && !t.closed && !t.readable() {
		t.turn.Wait()
	}
	if err := t.err; err != nil {
		t.mu.Unlock()
		return 0, err
	}
	t.mu.Unlock()
	n, err := t.netConn.Read(p)
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.server.over {
		if broken := t.server.follow(p[:n], t.onLists); broken != nil {
			return 0, t.note("read", &probe.Error{Op: opExchange, Outcome: probe.OutcomeMalformed, Err: broken})
		}
	}
	return n, t.note("read", err)
}

// arithmetic has a place for each who may compute in a large group at once, over all probes. A group of 8192 bits, which a
// server is free to choose, keeps a core busy for a second, and the library can't be interrupted meanwhile: without a bound
// twenty such servers would keep every core from whoever waits to be woken.
var arithmetic = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))

// work waits for a place, if the library is to compute in a large group with what it was given. It has it until it reads or
// writes again. One is enough for all of its goroutines, of which one computes and the others wait for it.
func (t *tap[A]) work() {
	t.mu.Lock()
	wanted := t.costly && !t.claimed
	t.claimed = t.claimed || wanted
	t.mu.Unlock()
	if !wanted {
		return
	}
	select {
	case arithmetic <- struct{}{}:
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.ended {
			<-arithmetic
			return
		}
		t.working = true
	case <-t.gone:
	}
}

// end gives the place back for good: the library has returned, and what its other goroutines still read is lost.
func (t *tap[A]) end() {
	t.mu.Lock()
	t.ended = true
	t.mu.Unlock()
	t.rest()
}

// rest gives the place back.
func (t *tap[A]) rest() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.working {
		t.working, t.claimed = false, false
		<-arithmetic
	}
}

// readable reports whether it is time to listen. The server's lists are read behind what a client says first, and what
// it says inside the encryption behind the client's first message there.
func (t *tap[A]) readable() bool {
	if t.newKeys && t.server.over {
		return t.cipher > 0
	}
	return t.sent >= sentFirst
}

// onLists is told of the server's lists, which say how keys are exchanged.
func (t *tap[A]) onLists(payload []byte) { t.costly = !t.newKeys && largeGroups(payload) }

// Write sends one message: the library flushes each.
func (t *tap[A]) Write(p []byte) (int, error) {
	t.rest()
	defer t.work()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.newKeys && (t.cipher == mostCipher || len(p) > t.longest) { // a KEXINIT, if the server wants other keys already
		return 0, t.note("send", errMore)
	}
	t.mu.Unlock()
	n, err := t.netConn.Write(p)
	t.mu.Lock()
	t.sent++
	switch {
	case t.newKeys:
		t.cipher++
	case t.sent > 1 && len(p) > 5 && int(binary.BigEndian.Uint32(p)) == len(p)-4:
		t.newKeys = p[5] == msgNewKeys
		t.costly = t.costly && !t.newKeys // all is computed then
	}
	t.turn.Broadcast()
	return n, t.note("send", err)
}

func (t *tap[A]) Close() error {
	t.mu.Lock()
	if !t.closed {
		close(t.gone)
	}
	t.closed = true
	t.turn.Broadcast()
	t.mu.Unlock()
	return t.netConn.Close()
}

// note keeps the first error: the library goes on to others, and words them its own way. What comes of closing isn't one.
func (t *tap[A]) note(op string, err error) error {
	if err == nil || t.closed {
		return err
	}
	if t.err == nil {
		t.err = err
		if err == io.EOF { // as libraries want it
			t.err = &probe.Error{Op: op, Outcome: probe.OutcomeClosed, Err: err}
		}
		t.turn.Broadcast()
	}
	return err
}

// seen returns what the server said in the clear, and what ended the conversation other than the library.
func (t *tap[A]) seen() (cleartext, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.server.over = true // what its goroutines still receive is lost
	return t.server, t.err
}
