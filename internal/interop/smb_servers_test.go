package interop_test

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
)

// A smbServer is a running Samba. It shares the folder pub.
type smbServer struct {
	Direct, NetBIOS netip.AddrPort
	Version         string
}

const (
	smbName  = "FILES"
	smbGroup = "LAB"
	smbHost  = "files.handclasp.test"
)

// samba starts smbd with settings beside those that keep it on loopback and within a folder of its own. Its processes see
// another host name, so that the machine's isn't in transcripts.
func samba(t testing.TB, settings ...string) smbServer {
	t.Helper()
	needRoot(t)
	paths := need(t, "smbd", "unshare", "hostname")
	ports := freePorts(t, 2)
	s := smbServer{
		Direct: netip.AddrPortFrom(loopback, uint16(ports[0])), NetBIOS: netip.AddrPortFrom(loopback, uint16(ports[1])),
		Version: version(t, "samba"),
	}
	conf := smbConf(t, append([]string{"interfaces = lo", fmt.Sprintf("smb ports = %d %d", ports[0], ports[1])}, settings...)...)
	hosts := writeFile(t, filepath.Join(serverDir(t, ""), "hosts"), "127.0.0.1 "+smbHost+" files localhost\n", 0o644)
	start(t, inNamespace(t, process{
		Path:   paths[1],
		Args:   []string{"--uts", "sh", "-c", paths[2] + ` files; exec "$@"`, "sh", paths[0], "--foreground", "--no-process-group", "--debug-stdout", "--configfile=" + conf},
		Listen: s.NetBIOS,
	}, bind{hosts, "/etc/hosts"}))
	return s
}

// smbConf writes a configuration with all of the server's state beside it.
func smbConf(t testing.TB, settings ...string) string {
	t.Helper()
	dir := serverDir(t, "")
	conf := []string{
		"[global]", "netbios name = " + smbName, "workgroup = " + smbGroup, "bind interfaces only = yes", "disable spoolss = yes",
		"load printers = no", "log level = 1", "restrict anonymous = 0",
	}
	for setting, name := range map[string]string{
		"private dir": "private", "lock directory": "lock", "state directory": "state", "cache directory": "cache",
		"pid directory": "pid", "ncalrpc dir": "ncalrpc", "binddns dir": "binddns",
	} {
		conf = append(conf, setting+" = "+filepath.Dir(writeFile(t, filepath.Join(dir, name, ".here"), "", 0o644)))
	}
	pub := filepath.Dir(writeFile(t, filepath.Join(dir, "pub", "README"), "hello\n", 0o644))
	conf = append(conf, settings...)
	conf = append(conf, "[pub]", "path = "+pub, "comment = Public files")
	return writeFile(t, filepath.Join(dir, "smb.conf"), lines(conf...), 0o644)
}

// sambaDefaults has what Debian ships in smb.conf, but for the shares.
func sambaDefaults(t testing.TB) smbServer {
	t.Helper()
	return samba(t, "server role = standalone server", "obey pam restrictions = yes", "map to guest = bad user", "usershare allow guests = yes")
}

// sambaNT1 speaks everything from SMB1 on and takes guests.
func sambaNT1(t testing.TB) smbServer {
	t.Helper()
	return samba(t, "server min protocol = NT1", "map to guest = bad user", "[open]", "path = /", "guest ok = yes", "browseable = yes")
}

// sambaStrict speaks the newest only and wants everything protected.
func sambaStrict(t testing.TB) smbServer {
	t.Helper()
	return samba(t, "server min protocol = SMB3", "server signing = mandatory", "server smb encrypt = required", "restrict anonymous = 2")
}

// sambaLANMAN speaks everything there ever was.
func sambaLANMAN(t testing.TB) smbServer {
	t.Helper()
	return samba(t, "server min protocol = CORE")
}

// sambaOld speaks SMB1 only.
func sambaOld(t testing.TB) smbServer {
	t.Helper()
	return samba(t, "server min protocol = CORE", "server max protocol = NT1", "server signing = mandatory")
}

// sambaVista stops at 2.1, before there was encryption.
func sambaVista(t testing.TB) smbServer {
	t.Helper()
	return samba(t, "server max protocol = SMB2_10")
}

// smbRelease is a version without the distribution's part of it: "4.17.12".
func smbRelease(version string) string {
	if _, after, ok := strings.Cut(version, ":"); ok {
		version = after
	}
	version, _, _ = strings.Cut(version, "+")
	return version
}
