package scan_test

import (
	"context"
	"fmt"

	"github.com/handclasp/handclasp/nntp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

func ExampleEndpoints() {
	inputs := scan.Args([]string{"192.0.2.7", "192.0.2.8/31:119", "nntps://[2001:db8::7]:8563", "192.0.2.7:99999"})
	for e, err := range scan.Endpoints(context.Background(), inputs, []probe.Prober{nntp.Prober{}}, &scan.EndpointOptions{InOrder: true}) {
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Printf("%v from %s\n", e.Target, e.Input.Text)
	}
	// Output:
	// argument 4: "192.0.2.7:99999": port "99999": a port is a number from 1 to 65535
	// 192.0.2.7:119 from 192.0.2.7
	// 192.0.2.7:433 from 192.0.2.7
	// 192.0.2.7:563 from 192.0.2.7
	// 192.0.2.8:119 from 192.0.2.8/31:119
	// 192.0.2.9:119 from 192.0.2.8/31:119
	// [2001:db8::7]:8563 from nntps://[2001:db8::7]:8563
}
