package ftp_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
)

// offline returns options that replay a recorded conversation in place of dialling. Leave them out to ask a server.
func offline(name string) *probe.Options {
	text, err := os.ReadFile("testdata/transcripts/" + name + ".txt")
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
	e, err := ftp.Grab(context.Background(), "192.0.2.7:21", offline("handwritten-plain"))
	if err != nil {
		fmt.Println(err) // and e holds what was learned before it
	}
	fmt.Println("greeting: ", e.Greeting.Text())
	fmt.Println("system:   ", e.System)
	fmt.Println("TLS:      ", e.AuthTLS, "-", e.AuthReply.Text())
	fmt.Println("passwords:", e.CleartextLogin, "-", e.CleartextReply.Text())
	fmt.Println("anonymous:", e.Anonymous.Login, "-", e.Anonymous.PassReply.Text())
	// Output:
	// greeting:  Welcome to example.org
	// system:    UNIX Type: L8
	// TLS:       no - Command not implemented
	// passwords: yes - Password required for handclasp-no-such-user
	// anonymous: no - Login incorrect
}

// A server that lets anybody in, judged.
func Example_findings() {
	target, err := probe.ParseTarget("192.0.2.7:21")
	if err != nil {
		log.Fatal(err)
	}
	r := probe.Run(context.Background(), ftp.Prober{}, target, offline("handwritten-cleartext-refused-421"))
	for _, f := range finding.Evaluate(r, ftp.Rules) {
		fmt.Println(f.Severity, f.ID, f.Known, f.Basis[0])
	}
	// Output:
	// high ftp.anonymous-writable claimed /evidence/anonymous/listing/current/permissions
	// medium ftp.anonymous seen /evidence/anonymous/pass_reply
	// medium ftp.anonymous-listing seen /evidence/anonymous/listing/entries
	// medium ftp.exposed seen /evidence/greeting
	// low ftp.passive-address-leak seen /evidence/anonymous/passive_address
}

// What an anonymous visitor finds.
func ExampleAnonymous_listing() {
	e, err := ftp.Grab(context.Background(), "192.0.2.7:21", offline("handwritten-list-unix"))
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range e.Anonymous.Listing.Entries {
		fmt.Printf("%-10s %-9s %q, writable: %q\n", f.Permissions, f.Type, f.Name, f.Writable)
	}
	// Output:
	// -r--r--r-- file      "two  words", writable: "no"
	// drwxrwxrwt directory "incoming", writable: "yes"
	// lrwxrwxrwx link      "link", writable: ""
	// brw-rw-rw- other     "sda", writable: ""
	// -rw-r--r-- file      "caf�", writable: ""
}
