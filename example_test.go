package handclasp_test

import (
	"context"
	"fmt"
	"os"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
)

// One probe, its evidence and its findings. The server is a recorded one; a nil *probe.Options would ask a real one.
func Example() {
	target, _ := probe.ParseTarget("192.0.2.7:21")
	result := probe.Run(context.Background(), ftp.Prober{}, target, recorded())
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
	// medium ftp.exposed /evidence/greeting
	// low ftp.tls-missing /evidence/auth_reply
}

func recorded() *probe.Options {
	text, err := os.ReadFile("testdata/vsftpd-anonymous.txt")
	if err != nil {
		panic(err)
	}
	r, err := probetest.Parse(text)
	if err != nil {
		panic(err)
	}
	return r.Options()
}
