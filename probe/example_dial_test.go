package probe_test

import (
	"context"
	"fmt"

	"golang.org/x/net/proxy"

	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/internal/lab"
	"github.com/handclasp/handclasp/probe"
)

// Through a SOCKS5 proxy, here one that serves loopback.
func ExampleDialFunc_socks5() {
	ctx := context.Background()
	server, err := lab.Mirror(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	socks, err := lab.SOCKS5(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer socks.Close()

	dialer, err := proxy.SOCKS5("tcp", socks.Addr.String(), nil, proxy.Direct)
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := ftp.Grab(ctx, server.Addr.String(), &probe.Options{
		Level: probe.LevelGreeting,
		Dial:  dialer.(proxy.ContextDialer).DialContext,
	})
	fmt.Println(e.Greeting.Text(), err)
	fmt.Println("the proxy was asked for the server alone:", len(socks.Seen()) == 1 && socks.Seen()[0] == server.Addr)
	// Output:
	// hello 127.0.0.1 <nil>
	// the proxy was asked for the server alone: true
}
