package fingerprint_test

import (
	"context"
	"fmt"
	"os"
	"testing/fstest"

	"github.com/handclasp/handclasp/fingerprint"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
	"github.com/handclasp/handclasp/smtp"
)

// What a mail server says of itself, from a recorded conversation. Leave the replay out to ask a server.
func ExampleDB_Software() {
	text, err := os.ReadFile("../smtp/testdata/transcripts/exim-4.96-starttls.txt")
	if err != nil {
		panic(err)
	}
	recording, err := replay.Parse(text)
	if err != nil {
		panic(err)
	}
	r := probe.Run(context.Background(), smtp.Prober{}, recording.Target, recording.Options())
	r.Software = fingerprint.Builtin().Software(r)
	for _, s := range r.Software {
		fmt.Println(s.Vendor, s.Product, s.Version, "by its", s.Source)
		fmt.Println(s.CPE)
	}
	// Output:
	// Exim Exim 4.96 by its greeting
	// cpe:2.3:a:exim:exim:4.96:*:*:*:*:*:*:*
}

// A text of one's own, whose kind says what it is.
func ExampleDB_Match() {
	m, ok := fingerprint.Builtin().Match("ssh.banner", "OpenSSH_9.2p1 Debian-2+deb12u3")
	fmt.Println(ok, m.Name)
	for _, s := range m.Software("identification") {
		fmt.Printf("%s %s, %s\n", s.Product, s.Version, s.CPE)
	}
	// Output:
	// true OpenSSH that tells its package
	// OpenSSH 9.2p1, cpe:2.3:a:openbsd:openssh:9.2:p1:*:*:*:*:*:*
	// Debian Linux 12, cpe:2.3:o:debian:debian_linux:12:*:*:*:*:*:*:*
}

// Fingerprints of one's own come before those that are built in.
func ExampleLoad() {
	own := fstest.MapFS{"own.xml": {Data: []byte(`<fingerprints matches="ftp.banner">
		<fingerprint pattern="^Warehouse (\d+) ready$">
			<description>The scanners in the warehouse</description>
			<param pos="0" name="service.vendor" value="Example Inc."/>
			<param pos="0" name="service.product" value="Warehouse"/>
			<param pos="1" name="service.version"/>
		</fingerprint>
	</fingerprints>`)}}
	db, err := fingerprint.Load(own) // os.DirFS("recog") for a checkout of Recog
	if err != nil {
		panic(err)
	}
	db = db.Then(fingerprint.Builtin())
	for _, text := range []string{"Warehouse 7 ready", "(vsFTPd 3.0.3)"} {
		m, _ := db.Match("ftp.banner", text)
		fmt.Println(m.Params["service.product"], m.Params["service.version"])
	}
	// Output:
	// Warehouse 7
	// vsftpd 3.0.3
}
