package smb

import (
	"context"
	"encoding/asn1"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/fakesmb"
	"github.com/handclasp/handclasp/probe"
)

// A fakeServer negotiates what it is asked for, challenges, and takes a visit.
type fakeServer struct {
	fakesmb.Visit
	challenged bool
}

func serve(v fakesmb.Visit) *fakeServer { return &fakeServer{Visit: v} }

// answer returns the messages that answer a request, without their frames.
func (f *fakeServer) answer(request []byte) (messages [][]byte) {
	command := le.Uint16(request[12:])
	var status uint32
	var body []byte
	switch {
	case command == commandNegotiate:
		body = fakeNegotiate(le.Uint16(request[headerSize+36:]))
	case command == commandSessionSetup && !f.challenged:
		f.challenged = true
		token := fakeChallenge()
		status, body = statusMoreProcessing, append([]byte{9, 0, 0, 0, 72, 0, byte(len(token)), 0}, token...)
	default:
		return f.Answer(request)
	}
	if s, ok := f.Statuses[command]; ok {
		status, body = s, []byte{9, 0, 0, 0, 0, 0, 0, 0, 0}
	}
	m := make([]byte, headerSize)
	copy(m, request)
	le.PutUint32(m[8:], status)
	le.PutUint16(m[14:], 1) // credits
	le.PutUint32(m[16:], flagResponse)
	if command == commandSessionSetup {
		le.PutUint64(m[40:], 0x1122334455667788)
	}
	return [][]byte{append(m, body...)}
}

// fakeShares makes the entries of a list.
func fakeShares(shares []Share) (list []fakesmb.Share) {
	types := map[string]uint32{"printer": fakesmb.Printer, "device": fakesmb.Device, "ipc": fakesmb.IPC, "": 0x7f}
	for _, s := range shares {
		list = append(list, fakesmb.Share{Name: s.Name, Comment: s.Comment, Type: types[s.Type]})
	}
	return list
}

func fakeNegotiate(dialect uint16) []byte {
	b := make([]byte, 64)
	b[0], b[2] = 65, 1
	le.PutUint16(b[4:], dialect)
	for at := 28; at < 40; at += 4 {
		le.PutUint32(b[at:], 1<<20)
	}
	le.PutUint16(b[56:], headerSize+64)
	if dialect == dialect311 {
		le.PutUint16(b[6:], 2)
		le.PutUint32(b[60:], headerSize+64)
		b = append(b, "\x01\x00\x08\x00\x00\x00\x00\x00\x01\x00\x02\x00\x01\x00\xaa\xbb"...)
		b = append(b, "\x02\x00\x04\x00\x00\x00\x00\x00\x01\x00\x02\x00"...)
	}
	return b
}

func fakeChallenge() []byte {
	challenge := append([]byte("NTLMSSP\x00\x02\x00\x00\x00"), make([]byte, 44)...)
	token, err := asn1.MarshalWithParams(negTokenResp{NegState: 1, ResponseToken: challenge}, "explicit,tag:1")
	if err != nil {
		panic(err)
	}
	return token
}

// A fakeConn is the connection of a server that answers each request at once, and hangs up if it doesn't.
type fakeConn struct {
	net.Conn
	answer func(request []byte) (stream []byte)
	in     []byte
}

func (c *fakeConn) Write(p []byte) (int, error) {
	c.in = c.answer(p[frameSize:]) // what wasn't read of the last answer is lost
	return len(p), nil
}

func (c *fakeConn) Read(p []byte) (int, error) {
	if len(c.in) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.in)
	c.in = c.in[n:]
	return n, nil
}

func (c *fakeConn) Close() error                { return nil }
func (c *fakeConn) SetDeadline(time.Time) error { return nil }

func (f *fakeServer) stream(request []byte) (stream []byte) {
	for _, m := range f.answer(request) {
		stream = append(stream, frame(m)...)
	}
	return stream
}

// visitServer runs a null session against answers.
func visitServer(dialect string, answer func(request []byte) []byte) *probe.Result {
	return probe.Run(context.Background(), visitor{dialect},
		probe.Target{Addr: netip.MustParseAddrPort("192.0.2.7:445")}, &probe.Options{
			Level: probe.LevelAnonymous,
			Rand:  zeros{},
			Dial: func(context.Context, string, string) (net.Conn, error) {
				return &fakeConn{answer: answer}, nil
			},
		})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func evidenceOf(t testing.TB, r *probe.Result) *Evidence {
	t.Helper()
	e, ok := probe.As[*Evidence](r)
	require.True(t, ok)
	return e
}

// visitor is a prober that does nothing but open a null session.
type visitor struct{ dialect string }

func (v visitor) Spec() probe.Spec {
	return probe.Spec{
		Protocol: protocol, Ports: []probe.Port{{Network: probe.TCP, Number: 445}},
		Evidence: func() probe.Evidence { return new(Evidence) },
		Bounds: probe.Bounds{
			Greeting: probe.Bound{Conns: 4, Time: time.Minute}, Handshake: probe.Bound{Conns: 4, Time: time.Minute}, Anonymous: probe.Bound{Conns: 4, Time: time.Minute},
		},
		Guard: func(c probe.Contact) probe.Guard {
			g := Prober{}.newGuard(c)
			return func(l probe.Level, plain []byte) (string, error) {
				if l == probe.LevelHandshake {
					l = probe.LevelAnonymous // the visitor is one at both
				}
				return g(l, plain)
			}
		},
	}
}

func (v visitor) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	k := newTalk(Prober{}, s)
	if s.Level() < probe.LevelHandshake {
		return k.e, k.knock(ctx)
	}
	if k.e.PreferredDialect = v.dialect; v.dialect == dialectNTLM012 {
		k.e.PreferredDialect, k.e.SMB1.Dialect = "", v.dialect
	}
	k.nullSession(ctx)
	return k.e, k.err
}
