package scan_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/scan"
)

// lines understands a list and describes each input, or error, on a line.
func lines(t *testing.T, list string) []string {
	var all []string
	for in, err := range scan.Lines(t.Context(), "list", strings.NewReader(list)) {
		if err != nil {
			all = append(all, err.Error())
			continue
		}
		all = append(all, strings.Join([]string{in.Place, in.Text, in.Name, in.Tag}, "|"))
	}
	return all
}

func TestRowsOfZMap(t *testing.T) {
	require.Equal(t, []string{"list:2|192.0.2.7:21||", "list:3|192.0.2.8:990||", "list:4|[2001:db8::7]:21||"},
		lines(t, "saddr,sport\n192.0.2.7,21\n192.0.2.8,990\n2001:db8::7,21\n"))
	require.Equal(t, []string{"list:2|192.0.2.7||", "list:3|192.0.2.8||"}, lines(t, "saddr\n192.0.2.7\n192.0.2.8\n"))
	require.Equal(t, []string{"list:3|192.0.2.7:21||"}, lines(t, "# zmap\n"+
		"classification, saddr, \"daddr\", sport, dport, success, repeat, timestamp_str\n"+
		"synack,192.0.2.7,198.51.100.3,21,40000,1,0,\"2026-01-02T03:04:05.678+0000\"\n"+
		"synack,192.0.2.7,198.51.100.3,21,40000,1,1,x\n"+
		"rst,192.0.2.8,198.51.100.3,21,40000,0,0,x\n"))
	require.Equal(t, []string{
		`list:2: "192.0.2.7": 1 fields are too few or too many: the header has 2`,
		`list:3: "somewhere,21": column saddr: "somewhere" is neither an address nor a range`,
		`list:4: "\"192.0.2.7,21": not CSV: extraneous or missing " in quoted-field`,
		"list:5|192.0.2.9:21||",
	}, lines(t, "saddr,sport\n192.0.2.7\nsomewhere,21\n\"192.0.2.7,21\n192.0.2.9,21"))
}

// Others write ZMap's columns, too, and truth in their own words.
func TestRowsThatDidNotSucceed(t *testing.T) {
	require.Equal(t, []string{"list:4|192.0.2.9:21||"}, lines(t,
		"saddr,sport,success,repeat\n192.0.2.7,21,False,false\n192.0.2.8,21,true,TRUE\n192.0.2.9,21,true,false\n"))
}

func TestListInUTF16(t *testing.T) {
	for _, mark := range []string{"\xff\xfe", "\xfe\xff"} {
		require.Equal(t, []string{"list:1: the list is UTF-16: save it as UTF-8"}, lines(t, mark+"1\x009\x002\x00\n\x00x"))
	}
	require.Len(t, lines(t, "\xef\xbb\xbf192.0.2.7\r\n192.0.2.8\r\n"), 2, "UTF-8 as some editors write it")
}

func TestRowsOfZGrab(t *testing.T) {
	require.Equal(t, []string{
		"list:1|192.0.2.7|ftp.example.net|files|",
		"list:2|192.0.2.0/24:21||mail|",
		"list:3|[2001:db8::7]:25|mx.example.net||",
		"list:4|ftp.example.net:990||files|",
		"list:5|ftp.example.net|||",
		"list:6|192.0.2.7:21|||",
		"list:7|ftps://192.0.2.7|||",
	}, lines2(lines(t, "192.0.2.7, ftp.example.net, files\n192.0.2.0/24,,mail,21\n\"2001:db8::7\",mx.example.net,,25\n"+
		",ftp.example.net,files,990\n,ftp.example.net\n192.0.2.7,,,21\nftps://192.0.2.7\n")))
	require.Equal(t, []string{
		`list:1: "192.0.2.7,,,21,5": the row has 5 fields: a row is an address, a domain, a tag and a port`,
		`list:2: ",,x,21": the row has neither an address nor a domain: a row is an address, a domain, a tag and a port`,
		`list:3: "ftp.example.net,,,21": field 1: "ftp.example.net" is neither an address nor a range`,
		`list:4: ",ftp.example.net:21": field 2: "ftp.example.net:21" isn't a domain: a port goes into field 4`,
	}, lines(t, "192.0.2.7,,,21,5\n,,x,21\nftp.example.net,,,21\n,ftp.example.net:21\n"))
}

// lines2 closes each line as the others are.
func lines2(l []string) []string {
	for i := range l {
		for strings.Count(l[i], "|") < 4 {
			l[i] += "|"
		}
	}
	return l
}

// The domain of a row is the name for SNI; it isn't looked up. The tag reaches the endpoint.
func TestRowsBecomeEndpoints(t *testing.T) {
	inputs := scan.Lines(t.Context(), "list", strings.NewReader("192.0.2.7,FTP.example.org,files,21\n192.0.2.7,a..b,,21\n192.0.2.7,,,soon\n"))
	var got []string
	for e, err := range scan.Endpoints(t.Context(), inputs, probers(nil), inOrder) {
		if err != nil {
			got = append(got, err.Error())
			continue
		}
		got = append(got, e.Target.String()+" "+e.Input.Tag)
	}
	require.Equal(t, []string{
		"ftp.example.org (192.0.2.7:21) files",
		`list:2: "192.0.2.7:21": "a..b": not a host name: between its dots are 1 to 63 characters`,
		`list:3: "192.0.2.7:soon": port "soon": a port is a number from 1 to 65535`,
	}, got)
}

// What is in a file is shuffled; a pipe's lines aren't held back.
func TestLinesOfFilesAreShuffled(t *testing.T) {
	text := strings.Repeat("192.0.2.0/28:21\n", 40)
	path := filepath.Join(t.TempDir(), "list")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	places := func(inputs func(func(scan.Input, error) bool)) (places map[string]bool) {
		places = map[string]bool{}
		n := 0
		for e, err := range scan.Endpoints(t.Context(), inputs, probers(nil), nil) {
			require.NoError(t, err)
			places[e.Input.Place] = true
			if n++; n == 16 {
				return places
			}
		}
		return places
	}
	require.Greater(t, len(places(scan.Lines(t.Context(), "list", f))), 8)
	require.Len(t, places(scan.Lines(t.Context(), "list", strings.NewReader(text))), 1)
}

func FuzzLines(f *testing.F) {
	for _, s := range []string{"saddr,sport\n192.0.2.7,21\n", "192.0.2.0/30,a.example,tag,21\n", "\"\n", "a,\"b\nc\",d\n", "saddr\n\n#\n,",
		"open tcp 21 192.0.2.7 1", "Host: a ()\tPorts: 21/open/tcp", `{"ip":"::1","port":{"Port":1}}`, `<?xml version="1.0"?><host><address addr="::1"/>`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, list string) {
		n := 0
		for e, err := range scan.Endpoints(t.Context(), scan.Lines(t.Context(), "list", strings.NewReader(list)), probers(nil), inOrder) {
			require.True(t, err != nil || e.Target.Addr.IsValid())
			if n++; n > 100 {
				break
			}
		}
	})
}
