package interop_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Some servers have their paths and user names compiled in, and a package that is unpacked into a private root has
// neither. Such a server sees its own files in place of the machine's, which stay as they are.

// A bind shows the folder From at the path On, which must exist on the machine.
type bind struct{ From, On string }

// bindAndRun takes pairs of paths, --, and the command. The shell stays, as the namespace's first process: the kernel
// forgets which signal a process gets at its parent's death when the process becomes another user, as servers do.
const bindAndRun = `set -e
while [ "$1" != -- ]; do mount --bind "$1" "$2"; shift 2; done
shift
"$@"
exit $?`

var canUnshare = sync.OnceValue(func() bool {
	cmd := exec.Command("unshare", "--mount", "--pid", "--fork", "--mount-proc", "mount", "--bind", "/tmp", "/mnt")
	return cmd.Run() == nil
})

// inNamespace wraps a server so that it sees the binds. Its process ids are its own as well: when the server or the
// test binary ends, however it ends, the kernel ends every process that is left, whatever session it made for itself.
func inNamespace(t testing.TB, spec process, binds ...bind) process {
	t.Helper()
	needRoot(t)
	if !canUnshare() {
		unavailable(t, "mount and process namespaces are not permitted here")
	}
	args := []string{"--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", bindAndRun, "sh"}
	for _, b := range binds {
		if strings.HasPrefix(spec.Path, b.On+"/") {
			unavailable(t, "%s lies in %s, which the server must see empty", spec.Path, b.On)
		}
		args = append(args, b.From, b.On)
	}
	args = append(args, "--", spec.Path)
	spec.Path, spec.Args = need(t, "unshare")[0], append(args, spec.Args...)
	return spec
}

// accounts are the users, and groups of the same name, that servers want to become.
var accounts = []struct{ name, id string }{
	{"root", "0"}, {"mail", "8"}, {"news", "9"}, {"nobody", "65534"},
	{"Debian-exim", "64010"}, {"opensmtpd", "64011"}, {"opensmtpq", "64012"},
}

const eximID = 64010

// privateEtc makes a folder to be seen as /etc: the accounts, and names that are resolved without asking anybody.
func privateEtc(t testing.TB) string {
	t.Helper()
	etc := filepath.Join(serverDir(t, ""), "etc")
	var passwd, group strings.Builder
	for _, a := range accounts {
		passwd.WriteString(a.name + ":x:" + a.id + ":" + a.id + "::/nonexistent:/bin/false\n")
		group.WriteString(a.name + ":x:" + a.id + ":\n")
	}
	for name, text := range map[string]string{
		"passwd":        passwd.String(),
		"group":         group.String(),
		"hosts":         "127.0.0.1 localhost\n::1 localhost\n",
		"services":      "smtp 25/tcp\nnntp 119/tcp\nsubmissions 465/tcp\n",
		"nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\nservices: files\n",
		"resolv.conf":   "",
		"mailname":      "mx.handclasp.test\n",
	} {
		writeFile(t, filepath.Join(etc, name), text, 0o644)
	}
	return etc
}
