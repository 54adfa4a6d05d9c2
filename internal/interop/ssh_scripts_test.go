package interop_test

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// hostKeys makes keys, given as ssh-keygen wants them, in the form that every server reads.
func hostKeys(t testing.TB, kinds ...string) (files []string, prints map[string]string) {
	t.Helper()
	dir := serverDir(t, "")
	prints = map[string]string{}
	for _, kind := range kinds {
		args := strings.Fields(kind)
		key := filepath.Join(dir, "ssh_host_"+args[0]+"_key")
		if args[0] != "ed25519" { // which has no other form
			args = append(args, "-m", "PEM")
		}
		sshKeygen(t, append([]string{"-q", "-N", "", "-f", key, "-t"}, args...)...)
		files = append(files, key)
		prints[keyFormat(t, key)] = hostKeyPrint(t, key)
	}
	return files, prints
}

func paramiko(t testing.TB) sshServer {
	t.Helper()
	keys, prints := hostKeys(t, "rsa -b 2048", "ecdsa -b 256", "ed25519")
	addr, release := python(t, "ssh_paramiko.py", "python3-paramiko", keys...)
	return sshServer{Addr: addr, Version: release, Keys: prints}
}

func asyncSSH(t testing.TB) sshServer {
	t.Helper()
	keys, prints := hostKeys(t, "rsa -b 2048", "ecdsa -b 256", "ed25519")
	addr, release := python(t, "ssh_asyncssh.py", "python3-asyncssh", keys...)
	return sshServer{Addr: addr, Version: release, Keys: prints}
}

// erlangSSH is Erlang's, as it is without a node, by its emulator alone.
func erlangSSH(t testing.TB) sshServer {
	t.Helper()
	erlexec := need(t, "usr/lib/erlang/erts-*/bin/erlexec")[0]
	root := filepath.Join(privateRoot(erlexec), "usr/lib/erlang")
	keys, prints := hostKeys(t, "rsa -b 2048", "ed25519")
	addr := netip.AddrPortFrom(loopback, uint16(freePort(t)))
	server := fmt.Sprintf(`{ok, _} = application:ensure_all_started(ssh), {ok, _} = ssh:daemon({127, 0, 0, 1}, %d, `+
		`[{system_dir, %q}, {user_dir, %[2]q}, {auth_methods, "publickey,password"}, {pwdfun, fun(_, _) -> false end}]).`,
		addr.Port(), filepath.Dir(keys[0]))
	start(t, process{
		Path:   erlexec,
		Args:   []string{"-boot", filepath.Join(root, "bin/start_clean"), "-noinput", "-eval", server},
		Env:    []string{"ROOTDIR=" + root, "BINDIR=" + filepath.Dir(erlexec), "EMU=beam", "PROGNAME=erl", "HOME=" + serverDir(t, "")},
		Listen: addr,
	})
	// It tells the version of the application, not of all Erlang, which the package has.
	apps := must(filepath.Glob(filepath.Join(root, "lib/ssh-*")))
	if len(apps) != 1 {
		t.Fatal(apps)
	}
	return sshServer{Addr: addr, Version: strings.TrimPrefix(filepath.Base(apps[0]), "ssh-"), Keys: prints}
}

// gliderlabs is the Go library's, of a module of its own.
func gliderlabs(t testing.TB) sshServer {
	t.Helper()
	bin := filepath.Join(serverDir(t, ""), "gliderlabs")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", bin, ".")
	cmd.Dir, cmd.Env = filepath.Join("testdata", "gliderlabs"), append(os.Environ(), "GOWORK=off") // it is in no workspace
	if out, err := cmd.CombinedOutput(); err != nil {
		unavailable(t, "gliderlabs/ssh can't be built; .ci/interop-servers fetches it: %v\n%s", err, out)
	}
	keys, prints := hostKeys(t, "ed25519")
	addr := netip.AddrPortFrom(loopback, uint16(freePort(t)))
	start(t, process{Path: bin, Args: append([]string{addr.String()}, keys...), Listen: addr})
	list := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Version}}", "github.com/gliderlabs/ssh")
	list.Dir, list.Env = cmd.Dir, cmd.Env
	release := strings.TrimPrefix(strings.TrimSpace(string(must(list.Output()))), "v")
	return sshServer{Addr: addr, Version: release, Keys: prints}
}

// modSFTP is ProFTPD's SSH, which offers SFTP and SCP alone.
func modSFTP(t testing.TB) sshServer {
	t.Helper()
	needRoot(t)
	bin := need(t, "proftpd")[0]
	modules := filepath.Join(privateRoot(bin), "usr/lib/proftpd")
	need(t, filepath.Join(modules, "mod_sftp.so"))
	dir := serverDir(t, "")
	keys, prints := hostKeys(t, "rsa -b 2048", "ecdsa -b 256", "ed25519")
	addr := netip.AddrPortFrom(loopback, uint16(freePort(t)))
	conf := []string{
		"ModulePath " + modules,
		"LoadModule mod_sftp.c",
		"ServerType standalone",
		"DefaultAddress " + addr.Addr().String(),
		"SocketBindTight on",
		"Port " + strconv.Itoa(int(addr.Port())),
		"UseIPv6 off",
		"User nobody", "Group nogroup",
		"PidFile " + filepath.Join(dir, "pid"),
		"ScoreboardFile " + filepath.Join(dir, "scoreboard"),
		"DelayEngine off",
		"WtmpLog off",
		"TransferLog none",
		"SystemLog " + filepath.Join(dir, "log"),
		"AuthOrder mod_auth_unix.c",
		"SFTPEngine on",
		"SFTPLog " + filepath.Join(dir, "sftp.log"),
		"SFTPAuthMethods password",
	}
	for _, key := range keys {
		conf = append(conf, "SFTPHostKey "+key)
	}
	start(t, process{
		Path:   bin,
		Args:   []string{"--nodaemon", "--config", writeFile(t, filepath.Join(dir, "proftpd.conf"), lines(conf...), 0o644)},
		Dir:    dir,
		Listen: addr,
		Logs:   []string{filepath.Join(dir, "log"), filepath.Join(dir, "sftp.log")},
	})
	return sshServer{Addr: addr, Version: version(t, "proftpd-core"), Keys: prints}
}
