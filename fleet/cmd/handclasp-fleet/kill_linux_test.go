package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/fleet"
)

// The test is the command, too, when it is called so.
func TestMain(m *testing.M) {
	switch os.Getenv("HANDCLASP_FLEET") {
	case "1":
		main()
		os.Exit(0)
	case "server": // that somebody else runs
		if _, err := fleet.StartEngine(fleet.EngineOptions{Store: os.Args[1], Listen: os.Args[2]}); err != nil {
			panic(err)
		}
		select {}
	}
	os.Exit(m.Run())
}

// servers greet on 1,024 addresses of the loopback network, after a while, and count who came.
type servers struct {
	port  int
	mu    sync.Mutex
	calls map[string]int
}

const hosts = 1024

func listen(t *testing.T) *servers {
	s := &servers{calls: map[string]int{}}
	for i := range hosts {
		l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 64, byte(i>>8), byte(i)), Port: s.port})
		require.NoError(t, err)
		t.Cleanup(func() { _ = l.Close() })
		s.port = l.Addr().(*net.TCPAddr).Port
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				s.mu.Lock()
				s.calls[c.LocalAddr().String()]++
				s.mu.Unlock()
				go func() {
					defer c.Close()
					time.Sleep(20 * time.Millisecond)
					_, _ = c.Write([]byte("220 hello\r\n"))
				}()
			}
		}()
	}
	return s
}

// A stage is where commands run.
type stage struct {
	t    *testing.T
	dir  string
	port int // of the server
}

func newStage(t *testing.T) *stage {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return &stage{t, t.TempDir(), l.Addr().(*net.TCPAddr).Port}
}

func (s *stage) command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "HANDCLASP_FLEET=1")
	return cmd
}

// start has a command run beside the test.
func (s *stage) start(args ...string) *exec.Cmd { return s.run(s.command(args...)) }

// server starts one without a coordinator.
func (s *stage) server() *exec.Cmd {
	cmd := s.command(filepath.Join(s.dir, "store"), fmt.Sprintf("127.0.0.1:%d", s.port))
	cmd.Env = append(os.Environ(), "HANDCLASP_FLEET=server")
	return s.run(cmd)
}

func (s *stage) run(cmd *exec.Cmd) *exec.Cmd {
	cmd.Stderr = s.t.Output()
	require.NoError(s.t, cmd.Start())
	s.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

func (s *stage) serve(more ...string) *exec.Cmd {
	return s.start(append([]string{"serve", "--store", filepath.Join(s.dir, "store"), "--listen", fmt.Sprintf("127.0.0.1:%d", s.port)}, more...)...)
}

func (s *stage) url() string { return fmt.Sprintf("--nats=nats://127.0.0.1:%d", s.port) }

// write puts a file among those of the stage, and returns its name.
func (s *stage) write(name, content string) string {
	path := filepath.Join(s.dir, name)
	require.NoError(s.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(s.t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// try has the server that is named by an address alone asked.
func (s *stage) try(args ...string) string { return s.once(append(args, s.url())...) }

// once runs a command until it succeeds, and returns what it wrote: a server may be about to start.
func (s *stage) once(args ...string) string {
	var out, complaint bytes.Buffer
	require.Eventually(s.t, func() bool {
		cmd := s.command(args...)
		out.Reset()
		complaint.Reset()
		cmd.Stdout, cmd.Stderr = &out, &complaint
		return cmd.Run() == nil
	}, 5*time.Minute, 200*time.Millisecond, "%v: %v", args, lazily(complaint.String))
	return strings.TrimSpace(out.String())
}

// lazily is text that is made when it is shown.
type lazily func() string

func (l lazily) String() string { return l() }

// killed ends a process without a word.
func killed(t *testing.T, cmd *exec.Cmd) {
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
}

// submit has the servers scanned, in shards that are soon another worker's.
func (s *stage) submit(targets *servers) (id string) {
	return s.try("submit", "--only", "ftp", "--level", "greeting", "--concurrency", "2", "--lease", "3s", "--shards", "16",
		fmt.Sprintf("ftp://127.64.0.0/22:%d", targets.port))
}

// Whatever is killed or stopped at what time, each endpoint is among the results exactly once.
func TestKills(t *testing.T) {
	targets := listen(t)
	s := newStage(t)
	worker := func() *exec.Cmd { return s.start("worker", s.url()) }
	early := worker() // it waits for the server
	server := s.serve()
	id := s.submit(targets)
	out := filepath.Join(s.dir, "out.jsonl")
	results := s.start("results", "--follow", id, "-o", out, s.url())
	workers := []*exec.Cmd{early, worker(), worker()}

	atLeast(t, out, 50)
	killed(t, workers[0])
	workers[0] = worker()
	require.NoError(t, workers[1].Process.Signal(syscall.SIGSTOP))
	atLeast(t, out, 150)
	killed(t, results)
	killed(t, server)
	server = s.serve()
	s.try("status")
	results = s.start("results", "--follow", id, "-o", out, s.url())
	atLeast(t, out, 300)
	require.NoError(t, workers[1].Process.Signal(syscall.SIGCONT)) // far beyond its lease
	killed(t, workers[2])
	workers[2] = worker()
	atLeast(t, out, 500)
	killed(t, server)
	s.serve()
	require.NoError(t, results.Wait())

	exactlyOnce(t, out)
	require.Contains(t, s.try("status", id), "finished")
}

// A server that somebody else runs, and the coordinator, end each for itself, and together.
func TestServerApart(t *testing.T) {
	targets := listen(t)
	s := newStage(t)
	coordinate := func() *exec.Cmd { return s.start("serve", s.url()) }
	coordinator := coordinate() // it waits for the server
	server := s.server()
	id := s.submit(targets)
	out := filepath.Join(s.dir, "out.jsonl")
	results := s.start("results", "--follow", id, "-o", out, s.url())
	for range 2 {
		s.start("worker", s.url())
	}
	atLeast(t, out, 50)
	killed(t, server)
	server = s.server()
	atLeast(t, out, 250)
	killed(t, coordinator)
	coordinator = coordinate()
	atLeast(t, out, 450)
	killed(t, server)
	killed(t, coordinator)
	s.server()
	coordinate()
	require.NoError(t, results.Wait())
	exactlyOnce(t, out)
}

// atLeast waits for lines.
func atLeast(t *testing.T, path string, n int) {
	require.Eventually(t, func() bool {
		data, _ := os.ReadFile(path)
		return bytes.Count(data, []byte("\n")) >= n
	}, 3*time.Minute, 20*time.Millisecond)
}

// exactlyOnce requires that each endpoint is among the results, once, and that they are whole.
func exactlyOnce(t *testing.T, out string) {
	data, err := os.ReadFile(out)
	require.NoError(t, err)
	seen := map[string]int{}
	var kinds []string
	for line := range strings.Lines(string(data)) {
		var r struct {
			Kind    string
			Target  struct{ Addr string }
			Outcome string
		}
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		if r.Kind != "" {
			kinds = append(kinds, r.Kind)
			continue
		}
		seen[r.Target.Addr]++
	}
	require.Equal(t, []string{"header", "footer"}, kinds)
	require.Len(t, seen, hosts)
	for addr, n := range seen {
		require.Equal(t, 1, n, addr)
	}
}
