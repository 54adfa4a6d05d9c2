package interop_test

import (
	"context"
	"encoding/xml"
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/smb"
)

// What smbclient and nmap's scripts say of each Samba, at the ports where they look for it, must agree.
func TestSMBSecondOpinions(t *testing.T) {
	for _, want := range smbFacts {
		t.Run(want.variant, func(t *testing.T) {
			t.Parallel()
			server := sambaAlone(t, want.variant)
			var evidence []*smb.Evidence
			dialHere(func(dial probe.DialFunc) {
				for _, target := range []probe.Target{{Addr: server.Direct}, {Addr: server.NetBIOS}} {
					r := probe.Run(t.Context(), smb.Prober{}, target, &probe.Options{Dial: dial, Limits: patience})
					e, _ := probe.As[*smb.Evidence](r)
					evidence = append(evidence, e)
				}
			})
			require.Equal(t, []string{"direct", "netbios"}, []string{evidence[0].Transport, evidence[1].Transport})
			for i, port := range []string{"445", "139"} {
				agree(t, func(t testing.TB) { asSMBClient(t, evidence[i], port) })
			}
			agree(t, func(t testing.TB) { asNmap(t, evidence[0]) })
		})
	}
}

// dialHere runs f, whose connections are dialled by the goroutine that called it, since its thread is the one that a
// network of the test's own belongs to.
func dialHere(f func(probe.DialFunc)) {
	type request struct {
		ctx           context.Context
		network, addr string
		reply         chan<- func() (net.Conn, error)
	}
	requests := make(chan request)
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(func(ctx context.Context, network, addr string) (net.Conn, error) {
			reply := make(chan func() (net.Conn, error))
			requests <- request{ctx, network, addr, reply}
			return (<-reply)()
		})
	}()
	for {
		select {
		case r := <-requests:
			c, err := new(net.Dialer).DialContext(r.ctx, r.network, r.addr)
			r.reply <- func() (net.Conn, error) { return c, err }
		case <-done:
			return
		}
	}
}

// asSMBClient has smbclient negotiate one protocol after the other.
func asSMBClient(t testing.TB, e *smb.Evidence, port string) {
	t.Helper()
	protocols := map[string]string{"SMB2_02": "2.0.2", "SMB2_10": "2.1", "SMB3_00": "3.0", "SMB3_02": "3.0.2", "SMB3_11": "3.1.1"}
	speaks := func(protocol string) bool {
		cmd := exec.Command(need(t, "smbclient")[0], "--configfile=/dev/null", "--no-pass", "--port="+port, "--max-protocol="+protocol,
			"--option=client min protocol="+protocol, "--list=//"+alone.String())
		out, _ := cmd.CombinedOutput() // it may negotiate and be refused a session
		return !strings.Contains(string(out), "protocol negotiation failed")
	}
	for protocol, dialect := range protocols {
		require.Equal(t, speaks(protocol), slices.Contains(e.Dialects, dialect), "smbclient, port %s, %s", port, protocol)
	}
	require.Equal(t, speaks("NT1"), e.SMB1.Supported == probe.Yes, "smbclient, port %s, SMB1", port)
}

// An nmapTable is what a script says, as names and values.
type nmapTable struct {
	ID     string      `xml:"id,attr"`
	Key    string      `xml:"key,attr"`
	Output string      `xml:"output,attr"`
	Tables []nmapTable `xml:"table"`
	Elems  []struct {
		Key   string `xml:"key,attr"`
		Value string `xml:",chardata"`
	} `xml:"elem"`
}

func (n nmapTable) elem(key string) string {
	for _, e := range n.Elems {
		if e.Key == key {
			return e.Value
		}
	}
	return ""
}

func (n nmapTable) values() (list []string) {
	for _, e := range n.Elems {
		list = append(list, e.Value)
	}
	return list
}

// scripts runs nmap's scripts over SMB.
func scripts(t testing.TB) map[string]nmapTable {
	t.Helper()
	out, err := exec.Command(need(t, "nmap")[0], "-n", "-Pn", "-p445", "-oX", "-", "--script",
		"smb-protocols,smb2-security-mode,smb2-capabilities,smb2-time,smb-security-mode,smb-os-discovery", alone.String()).Output()
	require.NoError(t, err)
	var report struct {
		Scripts []nmapTable `xml:"host>hostscript>script"`
	}
	require.NoError(t, xml.Unmarshal(out, &report))
	all := map[string]nmapTable{}
	for _, s := range report.Scripts {
		all[s.ID] = s
	}
	return all
}

func asNmap(t testing.TB, e *smb.Evidence) {
	t.Helper()
	said := scripts(t)
	short := strings.NewReplacer("3.1.1", "311", "3.0.2", "302", "3.0", "300", "2.1", "210", "2.0.2", "202")
	var dialects []string
	if e.SMB1.Supported == probe.Yes {
		dialects = append(dialects, "NT LM 0.12 (SMBv1) [dangerous, but default]")
	}
	for _, d := range e.Dialects {
		dialects = append(dialects, short.Replace(d))
	}
	require.Len(t, said["smb-protocols"].Tables, 1)
	require.Equal(t, dialects, said["smb-protocols"].Tables[0].values())

	if len(e.Dialects) > 0 {
		mode := map[probe.Fact]string{probe.Yes: "Message signing enabled and required", probe.No: "Message signing enabled but not required"}
		require.Equal(t, mode[e.SigningRequired], said["smb2-security-mode"].Tables[0].values()[0])
		date, err := time.Parse("2006-01-02T15:04:05", said["smb2-time"].elem("date"))
		require.NoError(t, err)
		require.WithinDuration(t, *e.SystemTime, date, patience.Total)
		require.Equal(t, "N/A", said["smb2-time"].elem("start_date"))
	}
	// nmap claims no capabilities, so that it isn't told of those that both must have.
	names := map[string]string{"Distributed File System": "DFS", "Leasing": "LEASING", "Multi-credit operations": "LARGE_MTU"}
	for _, table := range said["smb2-capabilities"].Tables {
		i := slices.IndexFunc(e.Matrix, func(n smb.Negotiation) bool { return short.Replace(n.Dialect) == table.Key })
		require.GreaterOrEqual(t, i, 0, table.Key)
		for _, capability := range table.values() {
			require.Contains(t, e.Matrix[i].Capabilities, names[capability], "%s at %s", capability, table.Key)
		}
	}
	if e.SMB1.Supported != probe.Yes {
		return
	}
	signing := map[[2]probe.Fact]string{{probe.No, probe.No}: "disabled", {probe.Yes, probe.Yes}: "required", {probe.Yes, probe.No}: "supported"}
	mode := said["smb-security-mode"]
	require.Equal(t, "user", mode.elem("authentication_level"))
	require.Equal(t, "supported", mode.elem("challenge_response"))
	require.Equal(t, signing[[2]probe.Fact{e.SMB1.SigningEnabled, e.SMB1.SigningRequired}], mode.elem("message_signing"))
	require.Contains(t, said, "smb-os-discovery")
	discovered := said["smb-os-discovery"]
	require.Equal(t, []string{e.SMB1.NativeOS, e.SMB1.NativeLM}, []string{discovered.elem("os"), discovered.elem("lanmanager")})
	require.Equal(t, e.NTLM.DNSComputer, discovered.elem("fqdn"))
	require.Equal(t, e.SMB1.Domain, strings.TrimSuffix(discovered.elem("workgroup"), `\x00`))
	require.Equal(t, e.SMB1.ServerName, strings.TrimSuffix(discovered.elem("server"), `\x00`))
}
