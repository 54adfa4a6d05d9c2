package smb_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
	"github.com/handclasp/handclasp/smb"
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
	e, err := smb.Grab(context.Background(), "192.0.2.7:445", offline("handwritten-windows-10"))
	if err != nil {
		fmt.Println(err) // and e holds what was learned before it
	}
	fmt.Println("prefers:    ", e.PreferredDialect, "of", e.Dialects)
	fmt.Println("signing:    ", "required", e.SigningRequired, "by", e.SigningAlgorithms)
	fmt.Println("encryption: ", e.Encryption, "by", e.Ciphers)
	fmt.Println("compression:", e.Compression)
	fmt.Println("SMB1:       ", e.SMB1.Supported)
	fmt.Println("login:      ", e.AuthMechanisms)
	if e.NTLM != nil {
		fmt.Println("names:      ", e.NTLM.DNSComputer, "-", e.NTLM.OSVersion)
	}
	// Output:
	// prefers:     3.1.1 of [2.0.2 2.1 3.0 3.0.2 3.1.1]
	// signing:     required no by [AES-GMAC]
	// encryption:  yes by [AES-128-GCM]
	// compression: [Pattern_V1 LZ77 LZ77+Huffman LZNT1]
	// SMB1:        no
	// login:       [NEGOEX MS-KRB5 KRB5 NTLM]
	// names:       files.corp.example.org - Windows 10.0 build 17763
}

// How a server answers to each dialect alone. One that it hangs up on stays unknown.
func ExampleEvidence_matrix() {
	e, err := smb.Grab(context.Background(), "192.0.2.7:445", offline("samba-4.17.12-up-to-2.1-direct"))
	if err != nil {
		log.Fatal(err)
	}
	for _, n := range e.Matrix {
		fmt.Printf("%-6s%-4s%-21s %v\n", n.Dialect, n.Spoken, n.Status, n.Capabilities)
	}
	// Output:
	// 2.0.2 yes STATUS_SUCCESS        [DFS]
	// 2.1   yes STATUS_SUCCESS        [DFS LEASING LARGE_MTU]
	// 3.0   no  STATUS_NOT_SUPPORTED  []
	// 3.0.2 no  STATUS_NOT_SUPPORTED  []
	// 3.1.1 no  STATUS_NOT_SUPPORTED  []
}

// A server of 2003, judged.
func Example_findings() {
	target, err := probe.ParseTarget("192.0.2.7:445")
	if err != nil {
		log.Fatal(err)
	}
	r := probe.Run(context.Background(), smb.Prober{}, target, offline("handwritten-windows-2003"))
	for _, f := range finding.Evaluate(r, smb.Rules) {
		fmt.Printf("%-6v %-20s %s %v\n", f.Severity, f.ID, f.Detail, f.Basis)
	}
	// Output:
	// high   smb.exposed           [/evidence/smb1/outcome]
	// medium smb.signing-optional SMB1 [/evidence/smb1/signing_required]
	// medium smb.v1               NT LM 0.12 [/evidence/smb1/supported /evidence/smb1/dialect]
}

// Port 139 wants to be called by a name: the one that NBSTAT tells, if it doesn't take any.
func ExampleProber_netBIOS() {
	e, err := smb.Grab(context.Background(), "192.0.2.7:139", offline("handwritten-netbios-own-name"))
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range e.SessionRequests {
		fmt.Printf("%-10s %s %q\n", s.CalledName, s.Reply, s.Error)
	}
	fmt.Println(e.PreferredDialect)
	// Output:
	// *SMBSERVER negative "called name not present"
	// FILES      positive ""
	// 2.1
}
