package interop_test

import (
	"bytes"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var (
	netbiosNames    = netip.AddrPortFrom(alone, 137)
	netbiosSessions = netip.AddrPortFrom(alone, 139)
)

// sambaConf is the configuration of servers that keep all of their state in a temporary folder.
func sambaConf(t testing.TB, settings ...string) string {
	t.Helper()
	dir := serverDir(t, "")
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	conf := []string{"[global]", "interfaces = " + alone.String() + "/24", "bind interfaces only = yes", "log file = " + dir + "/log", "disable spoolss = yes"}
	for _, d := range []string{"private dir", "lock directory", "state directory", "cache directory", "pid directory", "ncalrpc dir", "nmbd:socket dir"} {
		path := filepath.Join(dir, d[:4])
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		conf = append(conf, d+" = "+path)
	}
	return writeFile(t, filepath.Join(dir, "smb.conf"), lines(append(conf, settings...)...), 0o644)
}

// nmbd starts Samba's name server and returns when it tells the name that it registers last.
func nmbd(t testing.TB, conf, last string) {
	t.Helper()
	bin := need(t, "nmbd")[0]
	start(t, process{Path: bin, Args: []string{"-F", "--no-process-group", "-s", conf, "-d", "1", "--debug-stdout"}})
	deadline := time.Now().Add(startupTime) // an election takes a while
	for !bytes.Contains(nodeStatus(t), []byte(last)) {
		if time.Now().After(deadline) {
			t.Fatalf("nmbd doesn't tell the name %q", last)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// nodeStatus asks for the names once; nil if no answer comes.
func nodeStatus(t testing.TB) []byte {
	t.Helper()
	c, err := net.Dial("udp", netbiosNames.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Second))
	question := "hc\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x20CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\x00\x00\x21\x00\x01"
	if _, err := c.Write([]byte(question)); err != nil {
		return nil
	}
	b := make([]byte, 2048)
	n, err := c.Read(b)
	if err != nil {
		return nil
	}
	return b[:n]
}

// smbd139 starts Samba's file server for its session service.
func smbd139(t testing.TB, conf string) {
	t.Helper()
	bin := need(t, "smbd")[0]
	start(t, process{
		Path: bin, Args: []string{"-F", "--no-process-group", "-s", conf, "-d", "1", "--debug-stdout"}, Listen: netbiosSessions,
	})
}
