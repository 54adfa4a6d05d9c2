package nntp_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/nntp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
)

// offline returns options that replay a recorded conversation instead of dialling. Leave them out to ask a server.
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
	e, err := nntp.Grab(context.Background(), "192.0.2.7:119", offline("handwritten-login"))
	if err != nil {
		fmt.Println(err) // and e holds what was learned before it
	}
	fmt.Println("greeting:  ", e.Greeting.Text())
	fmt.Println("reading:   ", e.ReadAccess, "-", e.ReadReply.Text())
	fmt.Println("login:     ", e.AuthMethods, "and inside TLS", e.AuthMethodsAfterTLS)
	if e.TLS != nil {
		fmt.Println("TLS:       ", e.TLS.Version)
	}
	// Output:
	// greeting:   news.example.org ready, no posting
	// reading:    no - Authentication required
	// login:      [] and inside TLS [USER SASL]
	// TLS:        1.3
}

// A server that lets anybody in, judged.
func Example_findings() {
	target, err := probe.ParseTarget("192.0.2.7:119")
	if err != nil {
		log.Fatal(err)
	}
	r := probe.Run(context.Background(), nntp.Prober{}, target, offline("handwritten-open"))
	for _, f := range finding.Evaluate(r, nntp.Rules) {
		fmt.Printf("%-6v %-22s %s: %v\n", f.Severity, f.ID, f.Known, f.Basis)
	}
	// Output:
	// medium nntp.post-open         claimed: [/evidence/capabilities/3 /evidence/posting]
	// low    nntp.read-open         seen: [/evidence/read_reply /evidence/read_access]
	// low    nntp.starttls-missing  seen: [/evidence/capabilities /evidence/starttls]
	// info   nntp.exposed           seen: [/evidence/greeting]
}

// The first groups of a server's list are what it offers to anybody.
func ExampleEvidence_groups() {
	e, err := nntp.Grab(context.Background(), "192.0.2.7:119", offline("handwritten-groups"))
	if err != nil {
		log.Fatal(err)
	}
	for _, g := range e.Groups.Entries {
		fmt.Printf("%s %d-%d %s\n", g.Name, g.Low, g.High, g.Status)
	}
	// Output:
	// misc.test 1-3002 y
	// .hidden 8-7 n
	// x.alias 1-0 =misc.test
	// comp.risks 441099-442001 m
}
