package scan_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"syscall"

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

// A scan that is cut short goes on from the state that its journal gave.
func ExampleJournal() {
	refuse := func(context.Context, string, string) (net.Conn, error) { return nil, syscall.ECONNREFUSED }
	visit := func(state *scan.State, most int) scan.State {
		journal := scan.NewJournal(state)
		inputs := scan.Args([]string{"192.0.2.0/24:119"})
		endpoints := scan.Endpoints(context.Background(), inputs, []probe.Prober{nntp.Prober{}}, &scan.EndpointOptions{Journal: journal})
		n := 0
		for r, err := range scan.Run(context.Background(), endpoints, &scan.Options{Probe: probe.Options{Dial: refuse}, Journal: journal}) {
			if n++; n > most {
				break
			}
			if err == nil {
				journal.Done(r, 0) // it is safe now: it won't come again
			}
		}
		return journal.State()
	}
	first := visit(nil, 100)
	fmt.Println(first.Done, first.Finished)
	stored, _ := json.Marshal(first)

	var state scan.State
	_ = json.Unmarshal(stored, &state)
	second := visit(&state, 1000)
	fmt.Println(second.Done, second.Finished)
	// Output:
	// 100 false
	// 256 true
}
