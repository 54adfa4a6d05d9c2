package interop_test

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	startupTime = 3 * time.Minute // from start to the first accepted connection, on a machine that is busy with other things
	graceTime   = 3 * time.Second // from SIGTERM to SIGKILL
)

// A process is a server to start. It should stay in the foreground.
type process struct {
	Path string
	Args []string
	Env  []string // beside PATH, LC_ALL and TZ, which every server gets
	Dir  string   // working directory; "" is the test's own

	Listen  netip.AddrPort   // the server is up when this address accepts; the zero value doesn't wait
	Also    []netip.AddrPort // and these: a server may bind one long after the other
	PIDFile string           // where a server that can't stay in the foreground writes its process id
	Logs    []string         // files that the server writes; shown, with its output, when the test fails
}

// start starts the server and returns when it accepts connections. It ends with the test, and so does every process
// of its group and session.
func start(t testing.TB, spec process) {
	t.Helper()
	output := filepath.Join(serverDir(t, ""), "output")
	// A file, not a pipe: nothing has to be drained, and a child that outlives the server can't hold up Wait.
	out, err := os.Create(output)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	logs := append([]string{output}, spec.Logs...)

	cmd := exec.Command(spec.Path, spec.Args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = spec.Dir, serverEnv(spec), out, out
	// A session of its own: its id finds every child later. The server dies with a test binary that is killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%s: %v", spec.Path, err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait(); close(exited) }()

	t.Cleanup(func() {
		ids := []int{cmd.Process.Pid}
		if id := readPID(spec.PIDFile); id > 0 {
			ids = append(ids, id)
		}
		terminate(ids)
		<-exited
		if t.Failed() {
			t.Logf("%s %s\n%s", filepath.Base(spec.Path), strings.Join(spec.Args, " "), tail(logs...))
		}
	})
	if err := awaitServer(spec, exited); err != "" {
		t.Fatalf("%s: %s", filepath.Base(spec.Path), err) // the cleanup shows the log
	}
}

func serverEnv(spec process) []string {
	return append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "TZ=UTC"}, spec.Env...)
}

// awaitServer returns "" when the server accepts, otherwise what went wrong.
func awaitServer(spec process, exited <-chan error) string {
	left := append([]netip.AddrPort{spec.Listen}, spec.Also...)
	deadline := time.Now().Add(startupTime)
	for time.Now().Before(deadline) {
		select {
		case err, first := <-exited:
			if spec.PIDFile == "" || (first && err != nil) {
				return "ended before it accepted a connection: " + errText(err)
			}
		default:
		}
		for len(left) > 0 && accepts(left[0]) {
			left = left[1:]
		}
		if len(left) == 0 && (spec.PIDFile == "" || readPID(spec.PIDFile) > 0) {
			return ""
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Sprintf("doesn't accept connections on %v", left)
}

func errText(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

func accepts(addr netip.AddrPort) bool {
	if !addr.IsValid() {
		return true
	}
	c, err := net.DialTimeout("tcp", addr.String(), time.Second)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// readPID returns the process id in a file, 0 if there is none.
func readPID(path string) int {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
	id, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || id < 2 { // 0, 1 and less address more than one server
		return 0
	}
	return id
}

// terminate ends what the ids started, at first politely. Only ids of processes that the test started come here.
func terminate(ids []int) {
	for _, end := range []struct {
		signal syscall.Signal
		within time.Duration
	}{{syscall.SIGTERM, graceTime}, {syscall.SIGKILL, startupTime}} {
		signalAll(ids, end.signal)
		for deadline := time.Now().Add(end.within); time.Now().Before(deadline); {
			if len(members(ids)) == 0 {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

func signalAll(ids []int, sig syscall.Signal) {
	for _, id := range members(ids) {
		_ = syscall.Kill(id, sig) // it may have ended meanwhile
	}
}

// members returns the living processes whose own, group's or session's id is one of ids: a server's children may have
// left its group, never its session unless they wrote a pidfile.
func members(ids []int) []int {
	wanted := make(map[string]bool)
	for _, id := range ids {
		wanted[strconv.Itoa(id)] = true
	}
	var list []int
	for _, stat := range must(filepath.Glob("/proc/[0-9]*/stat")) {
		b, err := os.ReadFile(stat)
		if err != nil {
			continue
		}
		// pid (name) state ppid pgrp session …; the name may hold spaces and parentheses.
		pid := filepath.Base(filepath.Dir(stat))
		_, rest, _ := strings.Cut(string(b[strings.LastIndexByte(string(b), ')')+1:]), " ")
		f := strings.Fields(rest)
		if len(f) < 4 || f[0] == "Z" {
			continue
		}
		if wanted[pid] || wanted[f[2]] || wanted[f[3]] {
			list = append(list, must(strconv.Atoi(pid)))
		}
	}
	return list
}
