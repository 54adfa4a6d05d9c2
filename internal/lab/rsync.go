package lab

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net"
	"strings"
	"time"
)

// rsyncLine is the longest line that the daemon reads.
const rsyncLine = 1024

// rsyncMOTD has a line that looks like a module.
const rsyncMOTD = "Welcome to files.lab.test\npub            \tis open to anybody\n\n"

// rsyncModules are names, comments, and whether a password is wanted. The last one isn't listed.
var rsyncModules = []struct {
	name, comment  string
	secret, hidden bool
}{
	{"pub", "files for anybody", false, false},
	{"backup", "last night's", true, false},
	{"attic", "", false, true},
}

// OpenRsync starts an rsync daemon of a generation with known flaws, which lets anybody into one of its modules. It has
// no files, and sends and takes none.
func OpenRsync(ctx context.Context) (*Server, error) {
	return Serve(ctx, Neighbour{
		Name: "open-rsync", About: "an old daemon that lets anybody into a module", Protocol: "rsync",
	}, serveRsync)
}

func serveRsync(c net.Conn) {
	r := bufio.NewReaderSize(c, rsyncLine)
	line := func(say string) (string, bool) {
		_ = c.SetDeadline(time.Now().Add(idleTime))
		if _, err := fmt.Fprint(c, say); err != nil {
			return "", false
		}
		b, err := r.ReadSlice('\n')
		return strings.TrimRight(string(b), "\r\n"), err == nil
	}
	greeting, ok := line("@RSYNCD: 31.0\n" + rsyncMOTD)
	if !ok {
		return
	}
	var version, sub int
	if _, err := fmt.Sscanf(greeting, "@RSYNCD: %d.%d", &version, &sub); err != nil {
		fmt.Fprint(c, "@ERROR: protocol startup error\n")
		return
	}
	module, ok := line("")
	if !ok {
		return
	}
	answer, more := rsyncAnswer(module)
	if !more {
		fmt.Fprint(c, answer)
		return
	}
	// Options of a transfer, which ends here, or the proof of a password, of which none is right.
	if _, ok := line(answer); ok && strings.Contains(answer, "AUTHREQD") {
		fmt.Fprintf(c, "@ERROR: auth failed on module %s\n", module)
	}
}

// rsyncAnswer answers a request. It reports whether the client is to say more.
func rsyncAnswer(request string) (answer string, more bool) {
	switch {
	case request == "" || request == "#list":
		for _, m := range rsyncModules {
			if !m.hidden {
				answer += fmt.Sprintf("%-15s\t%s\n", m.name, m.comment)
			}
		}
		return answer + "@RSYNCD: EXIT\n", false
	case strings.HasPrefix(request, "#"):
		return fmt.Sprintf("@ERROR: Unknown command '%s'\n", request), false
	}
	for _, m := range rsyncModules {
		switch {
		case m.name != request:
		case m.secret:
			challenge := make([]byte, 16)
			_, _ = rand.Read(challenge) // never fails
			return "@RSYNCD: AUTHREQD " + base64.RawStdEncoding.EncodeToString(challenge) + "\n", true
		default:
			return "@RSYNCD: OK\n", true
		}
	}
	return fmt.Sprintf("@ERROR: Unknown module '%s'\n", request), false
}
