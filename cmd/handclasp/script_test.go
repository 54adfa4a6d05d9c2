package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/internal/lab"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"handclasp": main, "handclasp-simulated": simulated})
}

// TestScripts runs testdata/*.txtar against servers of the lab, whose URLs are in the environment: $ANONYMOUS_FTP,
// $OPEN_NEWS and so on, and their addresses in $OPEN_NEWS_ADDR. $WEB is the address of a web server, $SILENT is a port that accepts and says nothing, $CLOSED one where nobody listens, $SOCKS a
// proxy.
func TestScripts(t *testing.T) {
	servers, err := lab.Start(context.Background())
	require.NoError(t, err)
	t.Cleanup(func() { _ = servers.Close() })
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("TERM", "xterm-256color")
			env.Setenv("NO_COLOR", "")
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "nobody's"))
			for _, n := range servers.Neighbours() {
				name := strings.ToUpper(strings.ReplaceAll(n.Name, "-", "_"))
				env.Setenv(name, n.URL)
				env.Setenv(name+"_ADDR", n.Addr.String())
			}
			closed, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			env.Setenv("CLOSED", closed.Addr().String())
			_ = closed.Close()
			if err := os.WriteFile(filepath.Join(env.WorkDir, "lab.pem"), servers.CAPEM(), 0o600); err != nil {
				return err
			}
			silent, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			env.Defer(func() { _ = silent.Close() })
			env.Setenv("SILENT", silent.Addr().String())
			web := httptest.NewServer(http.NotFoundHandler())
			env.Defer(web.Close)
			env.Setenv("WEB", web.Listener.Addr().String())
			socks, err := lab.SOCKS5(context.Background())
			if err != nil {
				return err
			}
			env.Defer(func() { _ = socks.Close() })
			env.Setenv("SOCKS", socks.Addr.String())
			env.Values["silent"] = silent
			edition1, err := filepath.Abs("../../internal/schema/testdata/results.jsonl")
			env.Setenv("EDITION1", edition1)
			if err != nil {
				return err
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"append": appendTo, "called": called, "expand": expand, "jsonl": checkJSONL, "plays": plays, "status": status, "terminal": terminal,
			"together": together,
		},
	})
}

// status N COMMAND… runs a command, which must exit with status N.
func status(ts *testscript.TestScript, _ bool, args []string) {
	got := 0
	var failed *exec.ExitError
	switch err := ts.Exec(args[1], args[2:]...); {
	case errors.As(err, &failed):
		got = failed.ExitCode()
	default:
		ts.Check(err)
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("exit status %d, want %s", got, args[0])
	}
}

// expand FILE replaces environment variables in FILE.
func expand(ts *testscript.TestScript, _ bool, args []string) {
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// append FILE OTHER writes OTHER behind FILE.
func appendTo(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(ts.ReadFile(args[0])+ts.ReadFile(args[1])), 0o600))
}

// called waits until somebody connects to $SILENT.
func called(ts *testscript.TestScript, _ bool, _ []string) {
	silent := ts.Value("silent").(net.Listener)
	ts.Check(silent.(*net.TCPListener).SetDeadline(time.Now().Add(10 * time.Second)))
	c, err := silent.Accept()
	ts.Check(err)
	ts.Defer(func() { _ = c.Close() })
}

// checkJSONL FILE N decodes FILE, which must hold N records. Headers and footers don't count.
func checkJSONL(ts *testscript.TestScript, _ bool, args []string) {
	n := 0
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		e, err := finding.DecodeEntry([]byte(line))
		ts.Check(err)
		if e.Result != nil {
			n++
		}
	}
	if fmt.Sprint(n) != args[1] {
		ts.Fatalf("%d records, want %s", n, args[1])
	}
}

// plays FILE PROTOCOL holds the conversation in FILE again, which must not depart from it.
func plays(ts *testscript.TestScript, _ bool, args []string) {
	rec, err := replay.Parse([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	for _, p := range handclasp.Probers() {
		if p.Spec().Protocol == args[1] {
			player := rec.Player()
			o := rec.Options()
			o.Dial, o.Rand = player.Dial, player.Rand()
			r := probe.Run(context.Background(), p, rec.Target, o)
			ts.Check(player.Err())
			ts.Check(r.Err)
			return
		}
	}
	ts.Fatalf("no prober speaks %s", args[1])
}

// together N FILE… decodes files of records, which must hold N endpoints, each once, and each file some.
func together(ts *testscript.TestScript, _ bool, args []string) {
	seen := map[string]bool{}
	for _, file := range args[1:] {
		before := len(seen)
		for line := range strings.Lines(ts.ReadFile(file)) {
			r, err := finding.DecodeEntry([]byte(line))
			ts.Check(err)
			if r.Result == nil {
				continue
			}
			if seen[r.Target.String()] {
				ts.Fatalf("%v is there twice", r.Target)
			}
			seen[r.Target.String()] = true
		}
		if len(seen) == before {
			ts.Fatalf("%s holds none", file)
		}
	}
	if fmt.Sprint(len(seen)) != args[0] {
		ts.Fatalf("%d endpoints, want %s", len(seen), args[0])
	}
}

// terminal FILE COMMAND… runs a command on a terminal of 100 columns and saves all that it wrote there.
func terminal(ts *testscript.TestScript, _ bool, args []string) {
	path := ""
	for dir := range strings.SplitSeq(ts.Getenv("PATH"), string(os.PathListSeparator)) {
		if p := filepath.Join(dir, args[1]); path == "" && exists(p) {
			path = p
		}
	}
	cmd := exec.Command(path, args[2:]...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "TERM", "NO_COLOR", "HOME"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	screen, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: 100, Rows: 50})
	ts.Check(err)
	var b bytes.Buffer
	_, _ = io.Copy(&b, screen) // ends with an error when the program does
	if err := cmd.Wait(); err != nil {
		ts.Fatalf("%v: %s", err, b.String())
	}
	_ = screen.Close()
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o600))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
