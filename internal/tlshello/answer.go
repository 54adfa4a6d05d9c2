package tlshello

import (
	"io"
	"slices"
)

// An Answer is what came in answer to one [Question]. The zero value says that nothing was learned, such as from
// silence, or from what is no TLS.
type Answer struct {
	// Hello is the server's choice; Hello2 that of SSL 2.0.
	Hello  *ServerHello
	Hello2 *ServerHello2
	// Alert is what came instead.
	Alert *Alert
	// HungUp says that the server ended the connection instead. It may mean no, or not now: [Enumerate] finds out.
	HungUp bool

	// Chain is the server's chain in DER, which TLS 1.3 encrypts; nil if it wasn't sent.
	Chain [][]byte
	// Exchange is the group for DHE or ECDHE before TLS 1.3, else nil.
	Exchange *KeyExchange
	// CertificateRequested says that the server asks for a client's certificate (RFC 5246 §7.4.4).
	CertificateRequested bool
	// Complete says that all of this was seen to its end.
	Complete bool
}

// A Question is one ClientHello, for a connection of its own.
type Question struct {
	// Send is the hello, to be sent as one write.
	Send []byte

	version Version
	suites  []uint16
	groups  []Group
}

// Read reads the answer. Once the server has made its choice, the answer is valid, whatever comes then; before that,
// errors of r are returned as they are, io.EOF and io.ErrUnexpectedEOF for a connection that ended, and an error that
// matches [ErrMalformed] for what is no answer. Of an answer no more is read than the first flight (RFC 5246 §7.3), at
// most 128 KiB.
func (q *Question) Read(r io.Reader) (*Answer, error) {
	if q.version == SSL2 {
		return readAnswer2(r)
	}
	return q.readTLS(r)
}

func (q *Question) readTLS(r io.Reader) (*Answer, error) {
	f := flight{r: r}
	first, err := f.next()
	if err != nil {
		return nil, err
	}
	if first.alert != nil {
		return &Answer{Alert: first.alert}, nil
	}
	if first.kind != typeServerHello {
		return nil, malformed("a handshake that doesn't begin with ServerHello")
	}
	a := new(Answer)
	if a.Hello, err = ParseServerHello(first.body); err != nil {
		return nil, err
	}
	if a.Hello.Version >= TLS13 || a.Hello.Version != q.version {
		a.Complete = a.Hello.Version == q.version // the rest is encrypted, or of no interest
		return a, nil
	}
	for !a.Complete && a.more(&f) {
	}
	return a, nil
}

// more takes over the next message of the flight, and reports whether the flight goes on.
func (a *Answer) more(f *flight) bool {
	m, err := f.next()
	if err != nil || m.alert != nil {
		return false
	}
	switch m.kind {
	case typeCertificate:
		a.Chain, err = ParseCertificate(m.body)
	case typeServerKeyExchange:
		a.Exchange, err = ParseKeyExchange(m.body, a.Hello.Suite)
	case typeCertificateRequest:
		a.CertificateRequested = true
	case typeServerHelloDone:
		a.Complete = true
	}
	return err == nil
}

// A verdict is what an answer means for its question.
type verdict int

const (
	unclear  verdict = iota // nothing was learned
	accepted                // the server chose something that was offered
	refused                 // it said no, or chose what wasn't offered, as servers do that have nothing in common
	hungUp                  // see Answer.HungUp
)

func (q *Question) verdict(a *Answer) verdict {
	switch {
	case a == nil:
		return unclear
	case a.HungUp, a.Alert != nil && (a.Alert.Description == alertCloseNotify || a.Alert.Description == alertUserCanceled):
		return hungUp
	case a.Alert != nil:
		return refused
	case q.version == SSL2 && a.Hello2 != nil:
		return accepted
	case a.Hello == nil:
		return unclear
	case q.version == SSL2, a.Hello.Version != q.version, !slices.Contains(q.suites, uint16(a.Hello.Suite.ID)),
		q.version == TLS13 && !slices.Contains(q.groups, a.Hello.Group):
		return refused
	}
	return accepted
}
