package interop_test

import (
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// An sshServer is a running SSH server.
type sshServer struct {
	Addr    netip.AddrPort
	Version string
	Keys    map[string]string // fingerprints as ssh-keygen prints them, by type of key
}

// sshdPasswords is much as Debian leaves it: passwords, keys and SFTP.
func sshdPasswords(t testing.TB) sshServer {
	t.Helper()
	return sshd(t, []string{"rsa", "ecdsa", "ed25519"},
		"PasswordAuthentication yes", "KbdInteractiveAuthentication no", "Subsystem sftp internal-sftp", "Banner "+sshBanner(t))
}

func sshBanner(t testing.TB) string {
	t.Helper()
	return writeFile(t, filepath.Join(serverDir(t, ""), "banner"), "Authorised users only.\n", 0o644)
}

// sshdKeysOnly is how a careful operator has it: keys alone, recent algorithms, no SFTP.
func sshdKeysOnly(t testing.TB) sshServer {
	t.Helper()
	return sshd(t, []string{"ed25519"},
		"PasswordAuthentication no", "KbdInteractiveAuthentication no",
		"KexAlgorithms sntrup761x25519-sha512@openssh.com,curve25519-sha256",
		"Ciphers chacha20-poly1305@openssh.com,aes256-gcm@openssh.com", "MACs hmac-sha2-512-etm@openssh.com")
}

// sshdLegacy offers what old clients need.
func sshdLegacy(t testing.TB) sshServer {
	t.Helper()
	return sshd(t, []string{"rsa -b 1024", "dsa"},
		"KexAlgorithms diffie-hellman-group14-sha1,diffie-hellman-group-exchange-sha1,diffie-hellman-group1-sha1",
		"HostKeyAlgorithms ssh-rsa,ssh-dss", "Ciphers aes128-cbc,3des-cbc,aes128-ctr",
		"MACs hmac-md5,hmac-sha1-96,hmac-sha1,hmac-md5-etm@openssh.com")
}

// sshdGroups exchanges keys in groups alone: one of the server's choice, or a large one.
func sshdGroups(t testing.TB) sshServer {
	t.Helper()
	return sshd(t, []string{"ecdsa -b 384"},
		"KexAlgorithms diffie-hellman-group-exchange-sha256,diffie-hellman-group18-sha512", "Ciphers aes256-ctr", "MACs hmac-sha2-256",
		"ModuliFile "+need(t, "etc/ssh/moduli")[0]) // without it, it takes the largest group that the client takes
}

// sshdStranger knows one key exchange, and it is one that Go doesn't.
func sshdStranger(t testing.TB) sshServer {
	t.Helper()
	return sshd(t, []string{"ed25519"}, "KexAlgorithms sntrup761x25519-sha512@openssh.com")
}

// sshdCertified has a certificate for its key, too.
func sshdCertified(t testing.TB) sshServer {
	t.Helper()
	dir := serverDir(t, nobody())
	authority := filepath.Join(dir, "authority")
	sshKeygen(t, "-q", "-t", "ed25519", "-N", "", "-f", authority)
	key := filepath.Join(dir, "ssh_host_ed25519_key")
	sshKeygen(t, "-q", "-t", "ed25519", "-N", "", "-f", key)
	sshKeygen(t, "-q", "-s", authority, "-h", "-I", "host of the lab", "-n", "host.lab.test", "-V", "20260101000000Z:20360101000000Z", key+".pub")
	chownAll(t, dir, nobody())
	s := startSSHD(t, dir, "HostKey "+key, "HostCertificate "+key+"-cert.pub")
	s.Keys["ssh-ed25519"] = hostKeyPrint(t, key)
	s.Keys["ssh-ed25519-cert-v01@openssh.com"] = s.Keys["ssh-ed25519"]
	return s
}

// sshdFull has as many clients that didn't log in as it takes: one, as soon as it forgot who asked whether it is up.
func sshdFull(t testing.TB) sshServer {
	t.Helper()
	s := sshd(t, []string{"ed25519"}, "MaxStartups 1")
	for deadline := time.Now().Add(startupTime); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", s.Addr.String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		greeting := make([]byte, len("SSH-"))
		if _, err := io.ReadFull(c, greeting); err == nil && string(greeting) == "SSH-" {
			return s
		}
		c.Close()
	}
	t.Fatal("sshd doesn't take its first client")
	return s
}

// nobody is who servers run as if the tests are root: sshd would want an account of its own beside root, and tinyssh's
// other server refuses to be root. Else they run as the tests' own user, whose name isn't needed.
func nobody() string {
	if os.Geteuid() == 0 {
		return "nobody"
	}
	return ""
}

// asNobody gives up root before the server starts.
func asNobody(t testing.TB, spec process) process {
	t.Helper()
	if user := nobody(); user != "" {
		spec.Args = append([]string{"--reuid", user, "--regid", "nogroup", "--clear-groups", "--", spec.Path}, spec.Args...)
		spec.Path = need(t, "setpriv")[0]
	}
	return spec
}

// sshd starts OpenSSH with new keys, given as ssh-keygen wants them.
func sshd(t testing.TB, keys []string, config ...string) sshServer {
	t.Helper()
	dir := serverDir(t, nobody())
	prints := map[string]string{}
	for _, kind := range keys {
		args := strings.Fields(kind)
		key := filepath.Join(dir, "ssh_host_"+args[0]+"_key")
		sshKeygen(t, append([]string{"-q", "-N", "", "-f", key, "-t"}, args...)...)
		config = append(config, "HostKey "+key)
		prints[keyFormat(t, key)] = hostKeyPrint(t, key)
	}
	chownAll(t, dir, nobody())
	s := startSSHD(t, dir, config...)
	s.Keys = prints
	return s
}

func startSSHD(t testing.TB, dir string, config ...string) sshServer {
	t.Helper()
	bin := need(t, "sshd")[0]
	addr := netip.AddrPortFrom(loopback, uint16(freePort(t)))
	if !slices.ContainsFunc(config, func(line string) bool { return strings.HasPrefix(line, "MaxStartups ") }) {
		config = append(config, "MaxStartups 1000") // by default it turns away by chance who isn't among the first ten
	}
	conf := writeFile(t, filepath.Join(dir, "sshd_config"), lines(append([]string{
		"ListenAddress " + addr.String(), "PidFile none", "UsePAM no", "StrictModes no", "LogLevel VERBOSE",
	}, config...)...), 0o644)
	start(t, asNobody(t, process{Path: bin, Args: []string{"-D", "-e", "-f", conf}, Listen: addr}))
	return sshServer{Addr: addr, Version: version(t, "openssh-server"), Keys: map[string]string{}}
}

func sshKeygen(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.Command(need(t, "ssh-keygen")[0], args...).CombinedOutput()
	if err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	return string(out)
}

// hostKeyPrint returns the second word of "256 SHA256:… comment (ED25519)".
func hostKeyPrint(t testing.TB, key string) string {
	t.Helper()
	return strings.Fields(sshKeygen(t, "-l", "-f", key+".pub"))[1]
}

func keyFormat(t testing.TB, key string) string {
	t.Helper()
	return strings.Fields(string(must(os.ReadFile(key + ".pub"))))[0]
}

// dropbear is the server of small devices, with all keys that it makes.
func dropbear(t testing.TB) sshServer {
	t.Helper()
	dir := serverDir(t, "")
	s := sshServer{
		Addr: netip.AddrPortFrom(loopback, uint16(freePort(t))), Version: version(t, "dropbear-bin"), Keys: map[string]string{},
	}
	args := []string{"-F", "-E", "-p", s.Addr.String(), "-P", filepath.Join(dir, "pid")}
	for _, kind := range []string{"rsa", "ecdsa", "ed25519"} {
		key := filepath.Join(dir, kind)
		out, err := exec.Command(need(t, "dropbearkey")[0], "-t", kind, "-f", key).Output()
		if err != nil {
			t.Fatal(err)
		}
		// The public key is a line of what it prints.
		for line := range strings.Lines(string(out)) {
			if format, _, ok := strings.Cut(line, " "); ok && (strings.HasPrefix(format, "ssh-") || strings.HasPrefix(format, "ecdsa-")) {
				writeFile(t, key+".pub", line, 0o644)
				s.Keys[format] = hostKeyPrint(t, key)
			}
		}
		args = append(args, "-r", key)
	}
	start(t, process{Path: need(t, "dropbear")[0], Args: args, Listen: s.Addr})
	return s
}

// tinyssh has one key, one cipher and one MAC, and lets in by key alone.
func tinyssh(t testing.TB) sshServer {
	t.Helper()
	return tinysshd(t, "tinysshd")
}

// tinysshOpen lets in whoever asks.
func tinysshOpen(t testing.TB) sshServer {
	t.Helper()
	return tinysshd(t, "tinysshnoneauthd", "-e", "/bin/true")
}

func tinysshd(t testing.TB, program string, options ...string) sshServer {
	t.Helper()
	dir := serverDir(t, nobody())
	keys := filepath.Join(dir, "keys")
	if out, err := exec.Command(need(t, "tinysshd-makekey")[0], "-q", keys).CombinedOutput(); err != nil {
		t.Fatalf("tinysshd-makekey: %v\n%s", err, out)
	}
	out, err := exec.Command(need(t, "tinysshd-printkey")[0], keys).Output()
	if err != nil {
		t.Fatal(err)
	}
	public := writeFile(t, keys+".pub", string(out), 0o644)
	s := sshServer{Version: version(t, "tinysshd"), Keys: map[string]string{}}
	s.Keys["ssh-ed25519"] = hostKeyPrint(t, strings.TrimSuffix(public, ".pub"))
	chownAll(t, dir, nobody())
	spec := process{Path: need(t, program)[0], Args: append(append([]string{"-v"}, options...), keys)}
	s.Addr = inetd(t, asNobody(t, spec))
	return s
}
