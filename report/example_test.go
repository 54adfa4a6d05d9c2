package report_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/nntp"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/replay"
	"github.com/handclasp/handclasp/report"
)

func ExampleTable() {
	recording, err := replay.Parse([]byte(`
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
	_ = table.Write(finding.NewRecord(result, nntp.Rules), report.Host{})
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

// A line that is broken is named and passed over.
func ExampleRead() {
	stored := `{"schema":"handclasp.result/1","protocol":"nntp","target":{"network":"tcp","addr":"192.0.2.7:119","name":""},` +
		`"started":"2026-01-02T03:04:05.678Z","elapsed_ms":41,"level":"greeting","outcome":"ok","error":null,` +
		`"evidence":{"greeting":{"code":201,"lines":["ready"]}},"software":[],"findings":[{"id":"nntp.exposed",` +
		`"title":"'Network News' port open","severity":"info","known":"wire","basis":["/evidence/greeting"],"detail":"","cwe":[]}],"transcript":[]}` +
		"\n{\"schema\":\"handclasp.res"

	for record, err := range report.Read(strings.NewReader(stored), nntp.Prober{}) {
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(record.Target, report.StateOf(record), record.Findings[0].ID)
	}
	// Output:
	// 192.0.2.7:119 answered nntp.exposed
	// line 2: unexpected end of JSON input
}

func ExampleHTML() {
	var page bytes.Buffer
	w := report.NewHTML(&page, report.HTMLOptions{Rules: nntp.Rules, Title: "News servers"})
	for _, r := range []*probe.Result{
		{Protocol: "nntp", Outcome: probe.OutcomeOK, Evidence: &nntp.Evidence{Greeting: &probe.Reply{Code: 201, Lines: []string{"<b>ready</b>"}}}},
	} {
		_ = w.Write(finding.NewRecord(r, nntp.Rules))
	}
	_ = w.Close()
	fmt.Println(strings.Contains(page.String(), "<title>News servers</title>"))
	fmt.Println(strings.Contains(page.String(), "201 &lt;b&gt;ready&lt;/b&gt;"))
	// Output:
	// true
	// true
}
