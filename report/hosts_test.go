package report_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/netbios"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/report"
	"github.com/handclasp/handclasp/smb"
)

// fileServer is a file server's record on one of its ports.
func fileServer(addr string, severities ...finding.Severity) finding.Record {
	r := result(addr, "", nil)
	r.Protocol, r.Evidence = "smb", &smb.Evidence{Dialects: []string{"3.1.1"}, PreferredDialect: "3.1.1"}
	record := finding.Record{Result: r}
	for i, s := range severities {
		id := []string{"smb.exposed", "smb.signing-optional", "smb.v1"}[i]
		record.Findings = append(record.Findings, finding.Finding{ID: id, Title: id, Severity: s, Known: finding.Seen, Basis: []string{"/evidence/dialects"}})
	}
	return record
}

// A file server on two ports is one, in whichever order they come; what one of them alone shows is told.
func TestFileServerOnTwoPorts(t *testing.T) {
	first, second := fileServer("192.0.2.7:445", finding.High, finding.Medium), fileServer("192.0.2.7:139", finding.High, finding.Medium, finding.Low)
	other := fileServer("192.0.2.8:139", finding.High)
	var b bytes.Buffer
	table := report.NewTable(&b, report.TableOptions{List: true})
	for _, r := range []finding.Record{first, other, second} {
		require.NoError(t, table.Write(r, report.Host{}))
	}
	require.NoError(t, table.Close())
	text := b.String()
	require.Contains(t, text, "findings: 2 high · 1 medium · 1 low\n")
	require.Equal(t, 1, strings.Count(text, "● 445/tcp"))
	require.Contains(t, text, "\n  139/tcp   smb   the same as on 445\n    LOW       smb.v1  smb.v1\n")
	require.Contains(t, text, "192.0.2.8\n● 139/tcp   smb ", "another host's is its own")
	require.Less(t, strings.Index(text, "● 445/tcp"), strings.Index(text, "the same as on 445"))
	require.Len(t, second.Findings, 3, "the record is left as it is")

	b.Reset()
	table = report.NewTable(&b, report.TableOptions{})
	for _, r := range []finding.Record{second, first} {
		require.NoError(t, table.Write(r, report.Host{}))
	}
	require.NoError(t, table.Close())
	require.Contains(t, b.String(), "  445/tcp   smb   the same as on 139\n")
	require.Contains(t, b.String(), "findings: 1 high · 1 medium · 1 low\n")
}

// A list that names each endpoint of a host by itself has a line for the host all the same.
func TestLineOfAHost(t *testing.T) {
	var b bytes.Buffer
	table := report.NewTable(&b, report.TableOptions{List: true})
	for i, r := range []finding.Record{fileServer("192.0.2.7:445", finding.High), fileServer("192.0.2.8:445", finding.Low), fileServer("192.0.2.7:1445", finding.High, finding.Low)} {
		require.NoError(t, table.Write(r, report.Host{ID: i + 1, Endpoints: 1}))
	}
	require.NoError(t, table.Close())
	require.Contains(t, b.String(), "\n\n  192.0.2.7  2 high · 1 low  smb 445 · smb 1445\n  192.0.2.8  1 low  smb 445\n")
}

// Stored results come in any order; a table has them by address.
func TestTableByAddress(t *testing.T) {
	var b bytes.Buffer
	table := report.NewTable(&b, report.TableOptions{})
	for _, addr := range []string{"192.0.2.10:21", "[2001:db8::7]:21", "192.0.2.9:21", "192.0.2.9:2121"} {
		require.NoError(t, table.Write(finding.NewRecord(result(addr, "", ready()), rules), report.Host{}))
	}
	require.NoError(t, table.Close())
	var hosts []string
	for line := range strings.Lines(b.String()) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "192.0.2.") || strings.HasPrefix(line, "2001:") {
			hosts = append(hosts, line)
		}
	}
	require.Equal(t, []string{"192.0.2.9", "192.0.2.10", "2001:db8::7"}, hosts)
}

// What a NetBIOS name is for stands in its last byte.
func TestNetBIOSNamesShowSuffixes(t *testing.T) {
	r := result("192.0.2.7:137", "", nil)
	r.Protocol, r.Target.Network = "netbios", probe.UDP
	r.Evidence = &netbios.Evidence{Names: []netbios.Name{{Name: "FILES", Suffix: "20"}, {Name: "LAB", Suffix: "1c"}}}
	record := finding.Record{Result: r, Findings: []finding.Finding{{ID: "netbios.info-leak", Title: "names", Severity: finding.High, Known: finding.Seen, Basis: []string{"/evidence/names"}}}}
	require.Equal(t, [][]string{{"names: FILES<20>, LAB<1c>"}}, report.Proofs(record))
}
