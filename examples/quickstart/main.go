// Command quickstart asks one FTP server what it tells anybody.
//
//	go run ./examples/quickstart 192.0.2.7:21
//
// Without an argument it asks a server of its own (lab.go).
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/probe"
)

func run(ctx context.Context, args []string, stdout io.Writer) error {
	if len(args) != 1 {
		return errors.New("usage: quickstart ADDRESS:PORT")
	}
	e, err := ftp.Grab(ctx, args[0], nil)
	// What was learned before an error is there, too.
	fmt.Fprintln(stdout, "greeting:", e.Greeting.Text())
	fmt.Fprintln(stdout, "offers TLS:", fact(e.AuthTLS))
	fmt.Fprintln(stdout, "takes passwords in cleartext:", fact(e.CleartextLogin))
	fmt.Fprintln(stdout, "lets anybody in:", fact(e.Anonymous.Login))
	if t := e.TLS; t != nil && len(t.Chain) > 0 {
		fmt.Fprintf(stdout, "certificate: %s, until %s\n", t.Chain[0].Subject, t.Chain[0].NotAfter.Format("2006-01-02"))
	}
	return err
}

// fact spells out that a fact may be missing: not learned is not no.
func fact(f probe.Fact) string { return cmp.Or(string(f), "not learned") }

func main() {
	args, stop := orLab(os.Args[1:])
	err := run(context.Background(), args, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}
