package ssh_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
	"github.com/handclasp/handclasp/ssh"
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
	e, err := ssh.Grab(context.Background(), "192.0.2.7:22", offline("openssh-server-9.2p1-keys-only"))
	if err != nil {
		fmt.Println(err) // and e holds what was learned before it
	}
	fmt.Println("software:   ", e.Software)
	if a := e.Algorithms; a != nil {
		fmt.Println("key exchange", a.Kex, "· strict:", e.StrictKex)
	}
	fmt.Println("login:      ", e.AuthMethods)
	for _, k := range e.HostKeys {
		fmt.Println("host key:   ", k.Type, k.Bits, "· proven:", k.Proven)
	}
	// Output:
	// software:    OpenSSH_9.2p1
	// key exchange [sntrup761x25519-sha512@openssh.com curve25519-sha256 kex-strict-s-v00@openssh.com] · strict: yes
	// login:       [publickey]
	// host key:    ssh-ed25519 256 · proven: yes
}

// A server without the remedy against Terrapin, judged.
func Example_findings() {
	target, err := probe.ParseTarget("192.0.2.7:22")
	if err != nil {
		log.Fatal(err)
	}
	r := probe.Run(context.Background(), ssh.Prober{}, target, offline("tinysshd-20230101-keys-only"))
	for _, f := range finding.Evaluate(r, ssh.Rules) {
		fmt.Printf("%-6v %-12s %s: %s\n", f.Severity, f.ID, f.Known, f.Detail)
	}
	// Output:
	// medium ssh.terrapin seen: chacha20-poly1305@openssh.com
	// low    ssh.exposed  seen:
}

// A host key that wasn't learned is listed with the reason, and not taken for one that isn't there.
func ExampleEvidence_hostKeysMissing() {
	e, err := ssh.Grab(context.Background(), "192.0.2.7:22", offline("openssh-server-9.2p1-nothing-in-common"))
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range e.HostKeysMissing {
		fmt.Println(m.Type, m.Reason)
	}
	// Output:
	// ssh-ed25519 no_common_algorithm
}
