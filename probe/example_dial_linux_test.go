package probe_test

import (
	"context"
	"fmt"
	"net"

	"github.com/handclasp/handclasp/ftp"
	"github.com/handclasp/handclasp/internal/lab"
	"github.com/handclasp/handclasp/probe"
)

// From a source address; the server greets its client by the address that it sees.
func ExampleDialFunc_sourceAddress() {
	ctx := context.Background()
	server, err := lab.Mirror(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()

	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	e, err := ftp.Grab(ctx, server.Addr.String(), &probe.Options{Level: probe.LevelGreeting, Dial: dialer.DialContext})
	fmt.Println(e.Greeting.Text(), err)
	// Output:
	// hello 127.0.0.2 <nil>
}
