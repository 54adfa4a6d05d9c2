package sarif_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/report/sarif"
)

func Example() {
	var log bytes.Buffer
	w := sarif.New(&log, sarif.Options{Version: "v1.2.3"})
	_ = w.Write(finding.Record{
		Result: &probe.Result{
			Protocol: "dict", Target: probe.Target{Network: probe.TCP, Addr: netip.MustParseAddrPort("192.0.2.7:2628")},
		},
		Findings: []finding.Finding{{ID: "dict.exposed", Title: "'DICT' port open", Severity: finding.Low, Basis: []string{"/target/addr"}}},
	})
	_ = w.Close()

	var read struct {
		Runs []struct {
			Results []struct {
				RuleID, Level string
				Message       struct{ Text string }
			}
		}
	}
	if err := json.Unmarshal(log.Bytes(), &read); err != nil {
		fmt.Println(err)
	}
	for _, r := range read.Runs[0].Results {
		fmt.Printf("%s: %s (%s)\n", r.Level, r.Message.Text, r.RuleID)
	}
	// Output:
	// note: 'DICT' port open. On 192.0.2.7:2628, proof: target.addr: 192.0.2.7:2628 (dict.exposed)
}
