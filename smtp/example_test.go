package smtp_test

import (
	"context"
	"fmt"
	"os"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
	"github.com/handclasp/handclasp/smtp"
)

// recorded stands for the network, so that the examples run without one.
func recorded(name string) *probe.Options {
	text, err := os.ReadFile("testdata/transcripts/handwritten-" + name + ".txt")
	if err != nil {
		panic(err)
	}
	recording, err := replay.Parse(text)
	if err != nil {
		panic(err)
	}
	return recording.Options()
}

func ExampleGrab() {
	e, err := smtp.Grab(context.Background(), "192.0.2.7:25", recorded("starttls")) // nil goes to the network
	if err != nil {
		fmt.Println(err) // and e holds what was learned before it
	}
	fmt.Println("name:      ", e.Hostname)
	fmt.Println("STARTTLS:  ", e.STARTTLS)
	if e.TLS != nil {
		fmt.Println("TLS:       ", e.TLS.Version)
	}
	fmt.Println("logins:    ", e.AuthMechanisms, "in cleartext,", e.AuthMechanismsAfterTLS, "inside TLS")
	// Output:
	// name:       mx.example.com
	// STARTTLS:   yes
	// TLS:        1.3
	// logins:     [] in cleartext, [PLAIN LOGIN] inside TLS
}

func ExampleProber() {
	target, err := probe.ParseTarget("192.0.2.7:25")
	if err != nil {
		panic(err)
	}
	r := probe.Run(context.Background(), smtp.Prober{}, target, recorded("masked"))
	for _, f := range finding.Evaluate(r, smtp.Rules) {
		fmt.Println(f.ID, f.Severity)
	}
	// Output:
	// smtp.starttls-stripped high
	// smtp.auth-cleartext medium
	// smtp.exposed info
}

func ExampleEvidence_nTLMChallenge() {
	e, _ := smtp.Grab(context.Background(), "192.0.2.7:25", recorded("ntlm"))
	if n := e.NTLMChallenge(); n != nil {
		fmt.Println(n.DNSComputer, "in", n.DNSDomain)
		fmt.Println(n.OSVersion)
	}
	// Output:
	// mx01.corp.example.com in corp.example.com
	// Windows 10.0 build 17763
}
