package scan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/scan"
)

// texts are the targets of a list.
func texts(t *testing.T, list string) (all []string) {
	for in, err := range scan.Lines(t.Context(), "list", strings.NewReader(list)) {
		require.NoError(t, err)
		all = append(all, in.Text)
	}
	return all
}

// What other scanners write is read as it is; open ports are targets.
func TestForeignLists(t *testing.T) {
	want := []string{"192.0.2.7:21", "[2001:db8::7]:990"}
	for name, list := range map[string]string{
		"masscan -oL": "#masscan\nopen tcp 21 192.0.2.7 1700000000\nclosed tcp 22 192.0.2.7 1700000000\nbanner tcp 21 192.0.2.7 1700000001 ftp 220 hello\n" +
			"open udp 53 192.0.2.7 1700000000\nopen tcp 990 2001:db8::7 1700000000\n# end\n",
		"masscan -oJ": "[\n{   \"ip\": \"192.0.2.7\",   \"timestamp\": \"1700000000\", \"ports\": [ {\"port\": 21, \"proto\": \"tcp\", \"status\": \"open\", \"reason\": \"syn-ack\", \"ttl\": 52} ] },\n" +
			"{\"ip\": \"2001:db8::7\", \"ports\": [{\"port\": 990, \"proto\": \"tcp\", \"status\": \"open\"}, {\"port\": 23, \"proto\": \"tcp\", \"status\": \"closed\"}]}\n,\n{finished: 1}\n]\n",
		"masscan -oX": `<?xml version="1.0"?>
<nmaprun scanner="masscan" start="1700000000" version="1.0-BETA"  xmloutputversion="1.03">
<scaninfo type="syn" protocol="tcp" />
<host endtime="1700000000"><address addr="192.0.2.7" addrtype="ipv4"/><ports><port protocol="tcp" portid="21"><state state="open" reason="syn-ack" reason_ttl="52"/></port></ports></host>
<host endtime="1700000000"><address addr="2001:db8::7" addrtype="ipv6"/><ports><port protocol="tcp" portid="990"><state state="open"/></port></ports></host>
<runstats><finished time="1700000001"/><hosts up="2" down="0" total="2" /></runstats>
</nmaprun>
`,
		"nmap -oX": `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE nmaprun>
<nmaprun scanner="nmap"><verbose level="0"/>
<host><status state="up" reason="echo-reply"/>
<address addr="192.0.2.7" addrtype="ipv4"/><address addr="00:00:5E:00:53:07" addrtype="mac"/>
<hostnames><hostname name="ftp.example.net" type="PTR"/></hostnames>
<ports><extraports state="closed" count="998"/>
<port protocol="tcp" portid="21"><state state="open" reason="syn-ack"/><service name="ftp"><cpe>cpe:/a:x</cpe></service></port>
<port protocol="tcp" portid="22"><state state="filtered"/></port></ports></host>
<host><status state="up"/><address addr="2001:db8::7" addrtype="ipv6"/><ports><port protocol="tcp" portid="990"><state state="open"/></port></ports></host>
</nmaprun>`,
		"nmap -oG": "# Nmap 7.93 scan\nHost: 192.0.2.7 (ftp.example.net)\tStatus: Up\n" +
			"Host: 192.0.2.7 (ftp.example.net)\tPorts: 21/open/tcp//ftp///, 22/closed/tcp//ssh///\tIgnored State: filtered (998)\n" +
			"Host: 2001:db8::7 ()\tPorts: 990/open/tcp//ftps///\n# Nmap done\n",
		"naabu":     `{"host":"ftp.example.net","ip":"192.0.2.7","port":21,"protocol":"tcp","tls":false}` + "\n" + `{"ip":"2001:db8::7","port":{"Port":990,"Protocol":0,"TLS":false}}`,
		"httpx":     `{"timestamp":"2026-01-02","port":"21","url":"http://192.0.2.7:21","host":"192.0.2.7","failed":false}` + "\n" + `{"port":"990","host":"2001:db8::7"}`,
		"ZMap JSON": `{"saddr":"192.0.2.7","sport":21}` + "\n" + `{"saddr":"2001:db8::7","sport":990}`,
		"ip,port":   "192.0.2.7,21\n2001:db8::7,990\n",
	} {
		require.Equal(t, want, texts(t, list), name)
	}
	require.Equal(t, []string{"netbios-ns://192.0.2.7:137"}, texts(t, "open udp 137 192.0.2.7 1700000000\nopen udp 161 192.0.2.7 1700000000\n"))
}

// What has the look of another scanner's and can't be used is said, and the rest goes on.
func TestForeignListsThatBreak(t *testing.T) {
	require.Equal(t, []string{
		`list:1: "{\"port\":21}": the object names no host: one with ip, host or saddr is needed, and port, sport or ports`,
		`list:2: "{\"ip\":\"192.0.2.7\",\"port\":\"http\"}": port "http": a port is a number from 1 to 65535`,
		`list:3: "{\"ip\":": not JSON on a line of its own: unexpected end of JSON input`,
		"list:4|192.0.2.9:21||",
	}, lines(t, "{\"port\":21}\n{\"ip\":\"192.0.2.7\",\"port\":\"http\"}\n{\"ip\":\n192.0.2.9:21"))
	got := lines(t, `<?xml version="1.0"?><nmaprun><host><address addr="192.0.2.7" addrtype="ipv4"/><port protocol="tcp" portid="21"><state state="open"/></port>`)
	require.Equal(t, "list:1|192.0.2.7:21||", got[0])
	require.Contains(t, got[1], "the XML breaks off")
}

func TestTagsTravel(t *testing.T) {
	require.Equal(t, []string{"list:1|192.0.2.7:21||dmz", "list:2|192.0.2.8:21|ftp.example.net|files"},
		lines(t, `{"ip":"192.0.2.7","port":21,"tag":"dmz"}`+"\n192.0.2.8,ftp.example.net,files,21\n"))
}

// Ranges by their first and last address.
func TestSpans(t *testing.T) {
	o := &scan.EndpointOptions{Resolver: zone, InOrder: true}
	got := targets(t, scan.Args([]string{"192.0.2.254-192.0.3.1:21", "ftp://192.0.2.7-8"}), o)
	require.Equal(t, []string{"ftp 192.0.2.254:21 ", "ftp 192.0.2.255:21 ", "ftp 192.0.3.0:21 ", "ftp 192.0.3.1:21 ", "ftp 192.0.2.7:21 no", "ftp 192.0.2.8:21 no"}, got)
	x, err := scan.Exclude(t.Context(), scan.Args([]string{"192.0.2.2-250"}), zone)
	require.NoError(t, err)
	require.Len(t, targets(t, scan.Args([]string{"192.0.2.0/24:21"}), &scan.EndpointOptions{Exclude: x}), 256-249)
	for text, want := range map[string]string{
		"192.0.2.9-3":             "the range ends before it begins: write the smaller address first",
		"192.0.2.9-":              "not a range: write the first and the last address, such as 192.0.2.1-192.0.3.9 or 192.0.2.1-50",
		"192.0.2.9-300":           "not a range: write the first and the last address, such as 192.0.2.1-192.0.3.9 or 192.0.2.1-50",
		"1.0.0.0-9.0.0.0":         "the range holds 134217729 addresses: scan at most 16777216 at once, or list the hosts",
		"223.255.255.1-224.0.0.1": "the range holds addresses that aren't of one host: unspecified, multicast or broadcast",
	} {
		for _, err := range scan.Endpoints(t.Context(), scan.Args([]string{text}), probers(nil), o) {
			require.ErrorContains(t, err, want)
		}
	}
}

// A target that was named before is scanned once, whatever its case; what is remembered is bounded.
func TestOnce(t *testing.T) {
	repeated := 0
	var got []string
	for in, err := range scan.Once(scan.Args([]string{"ftp.example.net", "FTP.example.net", "192.0.2.7", "192.0.2.7:21", "192.0.2.7"}), func() { repeated++ }) {
		require.NoError(t, err)
		got = append(got, in.Text)
	}
	require.Equal(t, []string{"ftp.example.net", "192.0.2.7", "192.0.2.7:21"}, got)
	require.Equal(t, 2, repeated)
	many := make([]string, 300_000)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	n := 0
	for range scan.Once(scan.Args(append(slices.Clone(many), many[0], many[299_999])), func() { n++ }) {
	}
	require.Equal(t, 1, n, "the first was forgotten, the last wasn't")
}
