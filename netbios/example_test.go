package netbios_test

import (
	"context"
	"fmt"
	"log"
	"net/netip"
	"os"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/netbios"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
)

// offline returns options that replay a recorded conversation instead of dialling. Leave them out to ask a host.
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
	e, err := netbios.Grab(context.Background(), "192.0.2.7:137", offline("nmbd-4.17.12-member"))
	if err != nil {
		fmt.Println(err) // and e holds what was learned before it
	}
	for _, n := range e.Names {
		fmt.Printf("%-8s <%s>  %s\n", n.Name, n.Suffix, n.Kind)
	}
	fmt.Println(e.Computer, "in", e.Workgroup, "at", e.Addresses, "- domain controller:", e.DomainController)
	fmt.Printf("%d bytes, %.1f times what was asked\n", e.ResponseBytes, e.Amplification)
	// Output:
	// FILER    <00>  workstation
	// FILER    <03>  messenger
	// FILER    <20>  file server
	// LABGROUP <00>  workgroup or domain
	// LABGROUP <1e>  browser elections
	// FILER in LABGROUP at [192.0.2.7] - domain controller: no
	// 193 bytes, 3.9 times what was asked
}

// On port 139 a session is asked for. A server that refuses the wildcard is called by its own name.
func ExampleGrab_session() {
	e, err := netbios.Grab(context.Background(), "192.0.2.7:139", offline("handwritten-session-named"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(e.CalledName, e.Session)
	// Output:
	// DESK-07 positive
}

// A workstation with somebody logged in, judged.
func Example_findings() {
	target := probe.Target{Network: probe.UDP, Addr: netip.MustParseAddrPort("192.0.2.7:137")}
	r := probe.Run(context.Background(), netbios.Prober{}, target, offline("handwritten-workstation"))
	for _, f := range finding.Evaluate(r, netbios.Rules) {
		fmt.Printf("%-6v %-17s %s\n", f.Severity, f.ID, f.Detail)
	}
	// Output:
	// high   netbios.exposed   name service
	// high   netbios.info-leak DESK-07, CORP, ALICE, 00:00:5e:00:53:07
	// medium netbios.amplifier 4.2 times
}
