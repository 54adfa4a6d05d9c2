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
	"net"
	"os"

	"golang.org/x/net/proxy"

	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/probe"
)

// dialer returns a probe.DialFunc; any function in the shape of net.Dialer.DialContext is one.
func dialer(socks, source string) (probe.DialFunc, error) {
	d := new(net.Dialer)
	if source != "" {
		ip := net.ParseIP(source)
		if ip == nil {
			return nil, fmt.Errorf("source %q is no IP address", source)
		}
		d.LocalAddr = &net.TCPAddr{IP: ip}
	}
	if socks == "" {
		return d.DialContext, nil
	}
	p, err := proxy.SOCKS5("tcp", socks, nil, d) // d reaches the proxy
	if err != nil {
		return nil, err
	}
	return p.(proxy.ContextDialer).DialContext, nil
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("proxy", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	socks := flags.String("socks", "", "address of a SOCKS5 proxy")
	source := flags.String("source", "", "source address")
	if err := flags.Parse(args); err != nil || flags.NArg() != 1 {
		return errors.New("usage: proxy [-socks ADDRESS:PORT] [-source ADDRESS] ADDRESS:PORT")
	}
	dial, err := dialer(*socks, *source)
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
