package replay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
	"github.com/handclasp/handclasp/probe/replay"
)

// A prober of the dictionary server protocol (RFC 2229): it reads the banner and says goodbye.
type dict struct{}

type dictEvidence struct {
	Greeting string `json:"greeting"` // empty if none came
	Goodbye  string `json:"goodbye"`
}

func (*dictEvidence) Protocol() string { return "dict" }

func (dict) Spec() probe.Spec {
	return probe.Spec{
		Protocol: "dict",
		Ports:    []probe.Port{{Network: probe.TCP, Number: 2628}},
		Guard:    func(probe.Contact) probe.Guard { return dictGuard },
		Bounds: probe.Bounds{
			Greeting: probe.Bound{Conns: 1, Time: time.Minute}, Handshake: probe.Bound{Conns: 1, Time: time.Minute}, Anonymous: probe.Bound{Conns: 1, Time: time.Minute},
		},
		Evidence: func() probe.Evidence { return new(dictEvidence) },
	}
}

func dictGuard(l probe.Level, plain []byte) (string, error) {
	if l >= probe.LevelHandshake && string(plain) == "QUIT\r\n" {
		return "QUIT", nil
	}
	return "", errors.New("only QUIT is allowed")
}

func (dict) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	e := new(dictEvidence)
	s.Keep(e)
	c, err := s.Open(ctx)
	if err != nil {
		return e, err
	}
	defer c.Close()
	line, err := c.ReadLine() // the part that came, if there is an error
	e.Greeting, _ = probe.UTF8(line)
	if err != nil {
		return e, err
	}
	if !bytes.HasPrefix(line, []byte("220 ")) { // RFC 2229 §3.1
		return e, probe.Errorf("greeting", probe.OutcomeNotProtocol, "%q", e.Greeting)
	}
	if s.Level() == probe.LevelGreeting {
		return e, nil
	}
	if err := c.Send([]byte("QUIT\r\n")); err != nil {
		return e, err
	}
	line, err = c.ReadLine()
	e.Goodbye, _ = probe.UTF8(line)
	return e, err
}

const conversation = `# captured: handwritten
# target: 192.0.2.7:2628
1 open 192.0.2.7:2628
1 < "220 dict.example <auth.mime> <1@dict.example>\r\n"
1 > "QUIT\r\n"  QUIT
1 < "221 bye\r\n"
`

// A prober runs against a recorded conversation as it does against a server.
func Example() {
	rec, err := replay.Parse([]byte(conversation))
	if err != nil {
		fmt.Println(err)
		return
	}
	player := rec.Player()
	r := probe.Run(context.Background(), dict{}, rec.Target, &probe.Options{Dial: player.Dial, Rand: player.Rand()})
	e, _ := probe.As[*dictEvidence](r)
	fmt.Printf("%s: %q\n", r.Outcome, e.Greeting)
	fmt.Println("differs from the recording:", player.Err())
	// Output:
	// ok: "220 dict.example <auth.mime> <1@dict.example>"
	// differs from the recording: <nil>
}

// Record turns the result of a run into a file of testdata/transcripts.
func ExampleRecord() {
	rec, err := replay.Parse([]byte(conversation))
	if err != nil {
		fmt.Println(err)
		return
	}
	r := probe.Run(context.Background(), dict{}, rec.Target, rec.Options()) // leave the options out for a real server
	fmt.Printf("%s", replay.Record(r, "dictd 1.13.3", "2026-01-31").Format())
	// Output:
	// # server: dictd 1.13.3
	// # captured: 2026-01-31
	// # level: handshake
	// # target: 192.0.2.7:2628
	// 1 open 192.0.2.7:2628
	// 1 < "220 dict.example <auth.mime> <1@dict.example>\r\n"
	// 1 > "QUIT\r\n"  QUIT
	// 1 < "221 bye\r\n"
}

// The prober of the examples is one that conforms.
func TestExampleConforms(t *testing.T) { probetest.Conform(t, dict{}) }
