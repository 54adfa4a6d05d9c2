// Command handclasp scans FTP, SMTP, NNTP, rsync, NetBIOS, SMB and SSH services, safely, and reports what an outsider learns.
package main

import (
	"os"

	"github.com/handclasp/handclasp"
)

func main() {
	a := &app{
		probers: handclasp.Probers(), rules: handclasp.Rules(), comparisons: handclasp.Comparisons(),
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
	}
	os.Exit(a.main(os.Args[1:]))
}
