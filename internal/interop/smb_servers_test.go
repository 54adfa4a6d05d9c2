package interop_test

import (
	"fmt"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A smbServer is a running Samba. It shares the folder pub.
type smbServer struct{ Direct, NetBIOS netip.AddrPort }

const (
	smbName  = "FILES"
	smbGroup = "LAB"
	smbHost  = "files.handclasp.test"
)

// The configurations to test against, beside what each of them needs to run.
var smbSettings = map[string][]string{
	// What Debian ships in smb.conf, but for the shares.
	"default": {"server role = standalone server", "obey pam restrictions = yes", "map to guest = bad user", "usershare allow guests = yes"},
	// Everything from SMB1 on, and guests.
	"nt1-guest": {"server min protocol = NT1", "map to guest = bad user", "[open]", "path = /", "guest ok = yes"},
	// The newest only, and everything protected.
	"strict": {"server min protocol = SMB3", "server signing = mandatory", "server smb encrypt = required", "restrict anonymous = 2"},
	// 2.1 had no encryption.
	"up-to-2.1": {"server max protocol = SMB2_10"},
	// Everything there ever was.
	"lanman":    {"server min protocol = CORE"},
	"smb1-only": {"server min protocol = CORE", "server max protocol = NT1", "server signing = mandatory"},
	// Nothing for those who don't log in.
	"restricted": {"restrict anonymous = 2"},
	"signing":    {"server signing = mandatory"},
	// A list of shares that takes several fragments.
	"many-shares":      manyShareSettings(),
	"smb1-many-shares": append([]string{"server min protocol = CORE", "server max protocol = NT1"}, manyShareSettings()...),
	// No helpers that serve pipes: LAN Manager's clients see the shares all the same.
	"smb1-without-rpc": {"server min protocol = CORE", "server max protocol = NT1", "rpc start on demand helpers = no"},
	"no-ntlm":          {"ntlm auth = disabled"},
	"hosts-deny":       {"hosts allow = 192.0.2.99", "hosts deny = ALL"},
}

// samba starts smbd on free ports of loopback.
func samba(t testing.TB, variant string) smbServer {
	t.Helper()
	ports := freePorts(t, 2)
	s := smbServer{netip.AddrPortFrom(loopback, uint16(ports[0])), netip.AddrPortFrom(loopback, uint16(ports[1]))}
	smbd(t, s, variant, "interfaces = lo", fmt.Sprintf("smb ports = %d %d", ports[0], ports[1]))
	return s
}

// sambaAlone starts smbd at its own ports, in a network of the test's own.
func sambaAlone(t testing.TB, variant string) smbServer {
	t.Helper()
	ownNetwork(t)
	s := smbServer{netip.AddrPortFrom(alone, 445), netip.AddrPortFrom(alone, 139)}
	smbd(t, s, variant)
	return s
}

// smbd sees another host name, so that the machine's isn't in transcripts; and the helpers that serve its pipes, where it
// was built to look for them.
func smbd(t testing.TB, s smbServer, variant string, settings ...string) {
	t.Helper()
	needRoot(t)
	paths := need(t, "smbd", "unshare", "hostname")
	pub := filepath.Dir(writeFile(t, filepath.Join(serverDir(t, ""), "pub", "README"), "hello\n", 0o644))
	settings = append(settings, "netbios name = "+smbName, "workgroup = "+smbGroup, "load printers = no")
	settings = append(settings, smbSettings[variant]...)
	conf := sambaConf(t, append(settings, "[pub]", "path = "+pub, "comment = Public files")...)
	smbAccount(t, conf)
	hosts := writeFile(t, filepath.Join(serverDir(t, ""), "hosts"), "127.0.0.1 "+smbHost+" files localhost\n", 0o644)
	start(t, inNamespace(t, process{
		Path:   paths[1],
		Args:   []string{"--uts", "sh", "-c", paths[2] + ` files; exec "$@"`, "sh", paths[0], "-F", "--no-process-group", "-s", conf, "-d", "1", "--debug-stdout"},
		Listen: s.NetBIOS,
	}, bind{hosts, "/etc/hosts"}, bind{filepath.Join(paths[0], "../../libexec"), "/usr/libexec"}))
}

// An account of the machine's that may log in to each Samba.
const (
	smbUser     = "daemon"
	smbPassword = "correct horse"
)

func smbAccount(t testing.TB, conf string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), need(t, "smbpasswd")[0], "-L", "-c", conf, "-s", "-a", smbUser)
	cmd.Stdin = strings.NewReader(smbPassword + "\n" + smbPassword + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("smbpasswd: %v\n%s", err, out)
	}
}
