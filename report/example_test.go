package report_test

import (
	"context"
	"os"

	"github.com/handclasp/handclasp/nntp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
	"github.com/handclasp/handclasp/report"
)

func ExampleTable() {
	recording, err := probetest.Parse([]byte(`
# level: greeting
# target: 192.0.2.7:119
1 open 192.0.2.7:119
1 < "201 news.example.net ready\r\n"
`))
	if err != nil {
		panic(err)
	}
	result := probe.Run(context.Background(), nntp.Prober{}, recording.Target, recording.Options())
	result.Elapsed = 0 // for the example

	table := report.NewTable(os.Stdout, report.TableOptions{Width: 64})
	_ = table.Write(report.New(result, nntp.Rules), report.Host{})
	_ = table.Close()
	// Output:
	// 192.0.2.7
	// ● 119/tcp   nntp  201 news.example.net ready                <1ms
	//     INFO      nntp.exposed  'Network News' port open
	//               seen      greeting: 201 news.example.net ready
	//
	// 1 endpoint in <1ms: 1 answered
	// findings: 1 info
}
