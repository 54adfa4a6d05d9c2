// Command proxy reads an FTP server's greeting through a SOCKS5 proxy, from a source address, or both.
//
//	go run ./examples/proxy -socks 127.0.0.1:1080 192.0.2.7:21
//	go run ./examples/proxy -source 198.51.100.3 192.0.2.7:21
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/handclasp/handclasp/dialer"
	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/probe"
)

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("proxy", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	var route dialer.Route
	flags.Func("socks", "address of a SOCKS5 proxy", func(text string) error {
		route.Proxy = "socks5://" + text
		return nil
	})
	flags.TextVar(&route.Source, "source", route.Source, "source address")
	if err := flags.Parse(args); err != nil || flags.NArg() != 1 {
		return errors.New("usage: proxy [-socks ADDRESS:PORT] [-source ADDRESS] ADDRESS:PORT")
	}
	dial, err := route.Dialer()
	if err != nil {
		return err
	}
	e, err := ftp.Grab(ctx, flags.Arg(0), &probe.Options{Level: probe.LevelGreeting, Dial: dial})
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, e.Greeting.Text())
	return nil
}

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "proxy:", err)
		os.Exit(1)
	}
}
