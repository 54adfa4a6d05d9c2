package handclasp_test

import (
	"context"
	"fmt"
	"os"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
)

// One probe, its evidence and its findings. The server is a recorded one; a nil *probe.Options would ask a real one.
func Example() {
	recording := load("ftp/testdata/transcripts/vsftpd-3.0.3-anonymous.txt")

	result := probe.Run(context.Background(), ftp.Prober{}, recording.Target, recording.Options())
	fmt.Println("outcome:", result.Outcome)
	if e, ok := probe.As[*ftp.Evidence](result); ok {
		fmt.Println("greeting:", e.Greeting.Text())
	}
	for _, f := range finding.Evaluate(result, handclasp.Rules()) {
		fmt.Println(f.Severity, f.ID, f.Basis[0])
	}
	// Output:
	// outcome: ok
	// greeting: (vsFTPd 3.0.3)
	// medium ftp.anonymous /evidence/anonymous/pass_reply
	// medium ftp.anonymous-listing /evidence/anonymous/listing/entries
	// medium ftp.exposed /evidence/greeting
	// low ftp.tls-missing /evidence/auth_reply
	// info net.odd-port /target/addr
}

func load(file string) *replay.Recording {
	text, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	r, err := replay.Parse(text)
	if err != nil {
		panic(err)
	}
	return r
}
