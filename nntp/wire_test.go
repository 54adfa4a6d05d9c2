package nntp

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
)

const corpus = "testdata/transcripts/*.txt"

func TestCapabilities(t *testing.T) {
	lines := []string{"VERSION 2", " implementation  INN 2.7.1 (20230701) ", "AUTHINFO USER user", "authinfo sasl", "SASL plain\tPLAIN", "", "POSTX", "LIST POST"}
	require.Equal(t, []string{"USER", "SASL"}, capabilityArgs(lines, "AUTHINFO"))
	require.Equal(t, []string{"PLAIN"}, capabilityArgs(lines, "SASL"))
	require.Equal(t, []string{}, capabilityArgs(lines, "POSTX"))
	require.Equal(t, 6, hasCapability(lines, "POSTX"))
	require.Equal(t, -1, hasCapability(lines, "POST"))
	require.Equal(t, "INN 2.7.1 (20230701)", implementation(lines))
	require.Empty(t, implementation([]string{"IMPLEMENTATION", "VERSION 2"}))
	require.Empty(t, implementation(nil))
}

func TestCapabilityArgsAreBounded(t *testing.T) {
	line := "SASL"
	for i := range 10 * maxArgs {
		line += " X" + strings.Repeat("Y", i)
	}
	require.Len(t, capabilityArgs([]string{line}, "SASL"), maxArgs)
}

func TestParseDate(t *testing.T) {
	want := time.Date(1999, 6, 23, 13, 56, 24, 0, time.UTC) // the example of RFC 3977 §7.1.3
	for _, text := range []string{"19990623135624", " 19990623135624 ", "19990623135624 GMT"} {
		got, ok := parseDate(text)
		require.True(t, ok, text)
		require.Equal(t, want, got)
	}
	for _, text := range []string{"", "1999062313562", "199906231356245", "19990623135624.5", "19991323135624", "19990623245624", "1999-06-23T13:5", "+9990623135624"} {
		_, ok := parseDate(text)
		require.False(t, ok, text)
	}
}

func TestParseGroup(t *testing.T) {
	g, ok := parseGroup("misc.test 0000003002 0000000001 y")
	require.True(t, ok)
	require.Equal(t, Group{Name: "misc.test", High: 3002, Low: 1, Status: "y"}, g)
	g, ok = parseGroup("a\t18446744073709551615  0 =b")
	require.True(t, ok)
	require.Equal(t, uint64(18446744073709551615), g.High)
	for _, line := range []string{"", "a", "a 1 2", "a 1 2 y z", "a -1 2 y", "a 1 2e3 y", "a 18446744073709551616 1 y", "a 0x1 1 y"} {
		_, ok := parseGroup(line)
		require.False(t, ok, line)
	}
}

// What a reply says of reading is never a no that wasn't said.
func TestReadAccess(t *testing.T) {
	for code, want := range map[int]probe.Fact{
		411: probe.Yes, 211: probe.Yes, 480: probe.No, 481: probe.No, 483: probe.No, 500: probe.No, 502: probe.No,
		400: probe.Unknown, 403: probe.Unknown, 501: probe.Unknown, 503: probe.Unknown, 200: probe.Unknown, 0: probe.Unknown,
	} {
		require.Equal(t, want, readAccess(&probe.Reply{Code: code}), "%d", code)
	}
	require.Equal(t, probe.Unknown, readAccess(nil))
}

func FuzzCapabilities(f *testing.F) {
	probetest.Seeds(f, corpus)
	f.Add([]byte("IMPLEMENTATION\nAUTHINFO \u212a\nSASL \xff\n"))
	f.Fuzz(func(t *testing.T, block []byte) {
		lines := strings.Split(strings.ToValidUTF8(string(block), "\uFFFD"), "\n")
		for _, label := range []string{"AUTHINFO", "SASL", "IMPLEMENTATION", "STARTTLS"} {
			args := capabilityArgs(lines, label)
			require.NotNil(t, args)
			require.LessOrEqual(t, len(args), maxArgs)
			if len(args) > 0 {
				require.GreaterOrEqual(t, hasCapability(lines, label), 0)
			}
			for i, a := range args {
				require.NotEmpty(t, a)
				require.Equal(t, strings.ToUpper(a), a)
				require.Equal(t, i, slices.Index(args, a), "each once")
			}
		}
		if text := implementation(lines); text != "" {
			require.Equal(t, strings.TrimSpace(text), text)
			require.GreaterOrEqual(t, hasCapability(lines, "IMPLEMENTATION"), 0)
		}
	})
}

func FuzzDate(f *testing.F) {
	for _, s := range []string{"19990623135624", "20260230000000", "00000101000000", "99991231235959 x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := parseDate(text)
		if !ok {
			require.Zero(t, got)
			return
		}
		require.Equal(t, time.UTC, got.Location())
		require.True(t, strings.HasPrefix(strings.TrimSpace(text), got.Format("20060102150405")))
		_, err := got.MarshalJSON()
		require.NoError(t, err)
	})
}

func FuzzGroup(f *testing.F) {
	for _, s := range []string{"misc.test 0000003002 0000000001 y", "a 1 2", "\u00a0 1 1 y", "x.alias 0 1 =misc.test"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		g, ok := parseGroup(line)
		if !ok {
			require.Zero(t, g)
			return
		}
		require.NotEmpty(t, g.Name)
		require.NotEmpty(t, g.Status)
		require.Contains(t, line, g.Name)
		require.False(t, strings.ContainsAny(g.Name+g.Status, " \t\r\n"))
	})
}

func TestGoAhead(t *testing.T) {
	for code, want := range map[int]probe.Fact{
		382: probe.Yes,
		480: probe.No, 481: probe.No, 483: probe.No, 500: probe.No, 502: probe.No, 503: probe.No, 580: probe.No,
		200: probe.Unknown, 400: probe.Unknown, 403: probe.Unknown, 411: probe.Unknown,
	} {
		require.Equal(t, want, goAhead(&probe.Reply{Code: code}), code)
	}
}
