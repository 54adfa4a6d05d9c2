package advisory_test

import (
	"bytes"
	"fmt"
	"time"

	"github.com/handclasp/handclasp/advisory"
	"github.com/handclasp/handclasp/fingerprint"
	"github.com/handclasp/handclasp/probe"
)

// What a server's identification tells of it, without a file.
func ExampleJudge_Judge() {
	m, _ := fingerprint.Builtin().Match("ssh.banner", "OpenSSH_9.2p1 Debian-2+deb12u2")
	subject := advisory.Subject{
		Software: m.Software("identification"),
		Time:     time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC), // the result's
	}
	for _, v := range (advisory.Judge{}).Judge(subject) {
		fmt.Println(v.Kind, v.Severity, v.Known, v.Detail)
		for _, x := range v.Vulnerables {
			fmt.Println(x.ID, x.CVSS, x.Score, "fixed by", x.Fixed)
		}
	}
	// Output:
	// vulnerable high claimed CVE-2024-6387 (regreSSHion)
	// CVE-2024-6387 CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H 8.1 fixed by 1:9.2p1-2+deb12u3
}

// An index of a distribution's data: here of one record, otherwise of files such as OSV's all.zip.
func ExampleBuilder() {
	osv := []byte(`{"id": "DEBIAN-CVE-2023-38408", "modified": "2026-11-20T00:00:00Z", "affected": [{
		"package": {"ecosystem": "Debian:12", "name": "openssh"},
		"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1:9.2p1-2+deb12u1"}]}]}]}`)
	var b advisory.Builder
	if err := b.Add("DEBIAN-CVE-2023-38408.json", bytes.NewReader(osv), int64(len(osv))); err != nil {
		panic(err)
	}
	index, err := advisory.ReadIndex(b.Index()) // keep the bytes in a file, and read that
	if err != nil {
		panic(err)
	}
	software := []probe.Software{{Product: "OpenSSH", Version: "9.2p1", Distribution: "Debian", PackageRevision: "2"}}
	for _, v := range (advisory.Judge{Index: index}).Judge(advisory.Subject{Software: software}) {
		fmt.Println(v.Kind, v.Detail, "as of", v.Data.Date.Format(time.DateOnly))
	}
	// Output:
	// vulnerable CVE-2023-38408 as of 2026-11-20
}
