package rsync_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
	"github.com/handclasp/handclasp/rsync"
)

// offline returns options that replay a recorded conversation instead of dialling. Leave them out to ask a daemon.
func offline(name string) *probe.Options {
	text, err := os.ReadFile(transcripts + name + ".txt")
	if err != nil {
		log.Fatal(err)
	}
	recording, err := replay.Parse(text)
	if err != nil {
		log.Fatal(err)
	}
	return recording.Options()
}

func ExampleGrab() {
	e, err := rsync.Grab(context.Background(), "192.0.2.7:873", offline("rsync-3.5.0+ds1-handshake"))
	if err != nil {
		fmt.Println(err) // and e holds what was learned before it
	}
	fmt.Println("protocol:", e.ProtocolVersion, e.Digests)
	fmt.Printf("message:  %.21s\n", e.MOTD)
	fmt.Println("modules: ", len(e.Modules))
	// Output:
	// protocol: 32 [sha512 sha256 sha1 md5 md4]
	// message:  Welcome to the mirror
	// modules:  8
}

// A daemon of 2018 that lets anybody in, judged.
func Example_findings() {
	target, err := probe.ParseTarget("192.0.2.7:873")
	if err != nil {
		log.Fatal(err)
	}
	r := probe.Run(context.Background(), rsync.Prober{}, target, offline("rsync-3.1.3-source"))
	for _, f := range finding.Evaluate(r, rsync.Rules) {
		fmt.Println(strings.TrimSpace(fmt.Sprintf("%-6v %-22s %s %s", f.Severity, f.ID, f.Known, f.Detail)))
	}
	// Output:
	// high   rsync.module-open      seen pub, a name of several words
	// high   rsync.outdated         inferred rsync 3.1.0 to 3.2.6: CVE-2024-12085
	// medium rsync.exposed          seen
	// low    rsync.module-list      seen 8 modules
	// low    rsync.weak-auth-digest seen MD5
}

// At LevelAnonymous each module says who may enter, those that aren't listed too, if their names are known.
func ExampleProber_modules() {
	target, err := probe.ParseTarget("192.0.2.7:873")
	if err != nil {
		log.Fatal(err)
	}
	p := rsync.Prober{Modules: []string{"pub"}}
	r := probe.Run(context.Background(), p, target, offline("knobs/rsync-3.5.0+ds1-all-hidden"))
	if e, ok := probe.As[*rsync.Evidence](r); ok {
		for _, m := range e.Modules {
			fmt.Printf("%s: listed %s, %s\n", m.Name, m.Listed, m.Access)
		}
	}
	// Output:
	// pub: listed no, open
}
