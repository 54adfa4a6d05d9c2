// Package demo plays recorded conversations through listeners on 127.0.0.1: servers to scan, without a server's code.
//
// A recording is a file recordings/LEVEL/NN-PROTOCOL-NAME.txt, in the form of package replay and in the order of NN; its
// first comment says what is remarkable of the server. The conversation is strict: a scan that says anything else than
// the recorded one is hung up on, and told from [Stage.Err]. TLS isn't spoken: its handshakes are those that were
// recorded, certificates and all.
package demo

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"path"
	"strings"
	"sync"

	"github.com/handclasp/handclasp/internal/connid"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
)

//go:embed recordings
var recordings embed.FS

// A Stage is where the recordings of one level are played, one at a time.
type Stage struct {
	servers []*Server
	ctx     context.Context // ends with Close
	end     context.CancelFunc
	playing sync.WaitGroup

	mu      sync.Mutex
	current *play
	faults  []error
}

// A Server is the server's part of one recording.
type Server struct {
	Name, About string // such as "anonymous-ftp", and what is remarkable of it
	Protocol    string
	Target      probe.Target // where it listens
	ImplicitTLS probe.Fact
	TLS         probe.TLSMode

	stage     *Stage
	recording *replay.Recording
	doors     map[string]door // by what was dialled when it was recorded, without the host
}

// Start opens the listeners of the recordings that were made at the level.
func Start(level probe.Level) (*Stage, error) {
	s := new(Stage)
	s.ctx, s.end = context.WithCancel(context.Background())
	files, err := fs.Glob(recordings, path.Join("recordings", level.String(), "*.txt"))
	for _, file := range files {
		server, err := s.read(file)
		if err == nil {
			s.servers = append(s.servers, server)
			err = server.listen()
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", file, err), s.Close())
		}
	}
	return s, err
}

func (s *Stage) read(file string) (*Server, error) {
	text, err := recordings.ReadFile(file)
	if err != nil {
		return nil, err
	}
	recording, err := replay.Parse(text)
	if err != nil {
		return nil, err
	}
	name := strings.SplitN(strings.TrimSuffix(path.Base(file), ".txt"), "-", 3)
	if len(name) < 3 || len(recording.Comments) == 0 {
		return nil, errors.New("want a name such as 01-ftp-anonymous.txt, and a comment that says what it is")
	}
	return &Server{
		Name: name[2], About: recording.Comments[0], Protocol: name[1], Target: recording.Target, ImplicitTLS: recording.ImplicitTLS, TLS: recording.TLS,
		stage: s, recording: recording, doors: map[string]door{},
	}, nil
}

// Servers are in the order of their files.
func (s *Stage) Servers() []*Server { return s.servers }

// Prober returns p as one that begins the server's conversation anew. While it probes, no other may.
func (s *Server) Prober(p probe.Prober) probe.Prober { return beginning{p, s} }

type beginning struct {
	probe.Prober
	s *Server
}

func (b beginning) Probe(ctx context.Context, s *probe.Session) (probe.Evidence, error) {
	stage := b.s.stage
	stage.mu.Lock()
	stage.current = newPlay(b.s)
	stage.mu.Unlock()
	return b.Prober.Probe(ctx, s)
}

// Dial is a [probe.DialFunc]: it connects to the listener that stands for what was dialled in the recording.
func (s *Stage) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil {
		return nil, s.fault("nothing is played, and %s is dialled", address)
	}
	t := s.current.take(connid.From(ctx))
	if t == nil {
		return nil, s.fault("%s: %s is dialled once more than was recorded", s.current.server.Name, address)
	}
	if t.open.Outcome != "" {
		return nil, &probe.Error{Op: "dial", Outcome: t.open.Outcome}
	}
	near, far, err := s.current.server.doors[t.door].connect(ctx)
	if err != nil {
		return nil, err
	}
	s.playing.Go(func() {
		defer far.Close()
		defer context.AfterFunc(s.ctx, func() { _ = far.Close() })()
		if err := t.serve(s.ctx, far); err != nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			_ = s.fault("%s, connection %d: %w", t.name, t.open.Conn, err)
		}
	})
	return &conn{near, t}, nil
}

func (s *Stage) fault(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	s.faults = append(s.faults, err)
	return &probe.Error{Op: "demo", Outcome: probe.OutcomeInternal, Err: err}
}

// Rand gives the random bytes that were drawn in the recording.
func (s *Stage) Rand() io.Reader { return drawn{s} }

type drawn struct{ s *Stage }

func (d drawn) Read(b []byte) (int, error) {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	if d.s.current == nil || len(d.s.current.random) == 0 {
		return 0, d.s.fault("%d random bytes are drawn, and none were recorded", len(b))
	}
	n := copy(b, d.s.current.random)
	d.s.current.random = d.s.current.random[n:]
	return n, nil
}

// Err returns how the scan departed from the recordings; nil if it didn't.
func (s *Stage) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.faults...)
}

// Close ends what is played, and returns when nothing of it is left.
func (s *Stage) Close() error {
	s.end()
	var errs []error
	for _, server := range s.servers {
		for _, d := range server.doors {
			errs = append(errs, d.Close())
		}
	}
	s.playing.Wait()
	return errors.Join(errs...)
}
