package nbt

import (
	"bytes"
	"io"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

func mustName(t testing.TB, text string, suffix byte) Name {
	n, err := MakeName(text, suffix)
	require.NoError(t, err)
	return n
}

// The name of RFC 1001 §14.1's example.
func TestNameOfTheSpecification(t *testing.T) {
	require.Equal(t, "\x20FEGIGFCAEOGFHEECEJEPFDCAGOGBGNGF\x00", string(AppendName(nil, Name([]byte("The NetBIOS name")))))
}

func TestMakeName(t *testing.T) {
	n := mustName(t, "filer", SuffixServer)
	require.Equal(t, "FILER          \x20", string(n[:]))
	require.Equal(t, "FILER", n.Text())
	require.EqualValues(t, 0x20, n.Suffix())
	for _, bad := range []string{"", "SIXTEEN-BYTES-OK", "A\x00B", "Ä", "A\nB"} {
		_, err := MakeName(bad, 0)
		require.Error(t, err, "%q", bad)
	}
	require.Equal(t, "*", Wildcard.Text())
	require.Equal(t, "\x01\x02__MSBROWSE__\x02", Name([]byte("\x01\x02__MSBROWSE__\x02\x01")).Text())
	require.Equal(t, "B\uFFFDRO", Name([]byte("B\x9aRO           \x00")).Text())
}

func TestStatusQuery(t *testing.T) {
	require.Equal(t, "\x12\x34\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"+"\x20CK"+strings.Repeat("A", 30)+"\x00"+"\x00\x21\x00\x01",
		string(StatusQuery(nil, 0x1234, Wildcard)))
}

func TestAddressQuery(t *testing.T) {
	require.Equal(t, "\x12\x34\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"+"\x20EGEJEMEFFCCACACACACACACACACACACA\x00"+"\x00\x20\x00\x01",
		string(AddressQuery(nil, 0x1234, mustName(t, "FILER", SuffixServer))))
}

// record builds a response as RFC 1002 §4.2.18 draws it.
func record(flags, counts, name, kind, rdata string) []byte {
	size := string([]byte{byte(len(rdata) >> 8), byte(len(rdata))})
	return []byte("\x12\x34" + flags + counts + "\x00\x00\x00\x00" + name + kind + "\x00\x01\x00\x00\x00\x00" + size + rdata)
}

var (
	wildcardName = string(AppendName(nil, Wildcard))
	oneAnswer    = "\x00\x00\x00\x01"
)

func TestParseReply(t *testing.T) {
	b := record("\x84\x00", oneAnswer, wildcardName, "\x00\x21", "data")
	r, err := ParseReply(b)
	require.NoError(t, err)
	require.Equal(t, &Reply{ID: 0x1234, Name: Wildcard, Type: TypeStatus, Data: []byte("data")}, r)
	require.True(t, r.Answers(0x1234, Wildcard, TypeStatus))
	require.False(t, r.Answers(0x1235, Wildcard, TypeStatus))
	require.False(t, r.Answers(0x1234, Wildcard, TypeNB))
	require.False(t, r.Answers(0x1234, mustName(t, "FILER", 0), TypeStatus))

	r, err = ParseReply(b[:len(b)-1])
	require.NoError(t, err)
	require.True(t, r.Short)
	require.Equal(t, "dat", string(r.Data))
}

func TestParseReplyThatRepeatsTheQuestion(t *testing.T) {
	b := record("\x86\x00", "\x00\x01\x00\x01", wildcardName+"\x00\x21\x00\x01"+"\xc0\x0c", "\x00\x21", "data")
	r, err := ParseReply(b)
	require.NoError(t, err)
	require.Equal(t, &Reply{ID: 0x1234, Truncated: true, Name: Wildcard, Type: TypeStatus, Data: []byte("data")}, r)
}

func TestParseReplyWithScope(t *testing.T) {
	b := record("\x84\x00", oneAnswer, strings.TrimSuffix(wildcardName, "\x00")+"\x07NETBIOS\x03COM\x00", "\x00\x21", "data")
	r, err := ParseReply(b)
	require.NoError(t, err)
	require.Equal(t, "data", string(r.Data))
}

func TestParseNegativeReply(t *testing.T) {
	filer := mustName(t, "FILER", SuffixServer)
	for name, b := range map[string][]byte{
		"with an empty record": record("\x85\x03", "\x00\x00\x00\x00", string(AppendName(nil, filer)), "\x00\x0a", ""),
		"as in the DNS":        []byte("\x12\x34\x85\x03\x00\x01\x00\x00\x00\x00\x00\x00" + string(AppendName(nil, filer)) + "\x00\x20\x00\x01"),
	} {
		r, err := ParseReply(b)
		require.NoError(t, err, name)
		require.Equal(t, 3, r.Code, name)
		require.True(t, r.Answers(0x1234, filer, TypeNB), name)
	}
}

func TestParseNoReply(t *testing.T) {
	long := strings.TrimSuffix(wildcardName, "\x00") + strings.Repeat("\x3f"+strings.Repeat("a", 63), 4) + "\x00"
	for name, b := range map[string][]byte{
		"empty":                   nil,
		"a header":                []byte("\x12\x34\x84\x00\x00\x00\x00\x01\x00\x00\x00\x00"),
		"the query":               StatusQuery(nil, 0x1234, Wildcard),
		"a registration":          record("\xac\x00", oneAnswer, wildcardName, "\x00\x21", ""),
		"two questions":           record("\x84\x00", "\x00\x02\x00\x01", wildcardName, "\x00\x21", ""),
		"class CH":                bytes.Replace(record("\x84\x00", oneAnswer, wildcardName, "\x00\x21", ""), []byte("\x00\x21\x00\x01"), []byte("\x00\x21\x00\x03"), 1),
		"a name in lower case":    record("\x84\x00", oneAnswer, strings.ToLower(wildcardName), "\x00\x21", ""),
		"another size of name":    record("\x84\x00", oneAnswer, "\x1f"+wildcardName[1:], "\x00\x21", ""),
		"a pointer to itself":     record("\x84\x00", oneAnswer, "\xc0\x0c", "\x00\x21", ""),
		"a pointer ahead":         record("\x84\x00", oneAnswer, "\xc0\xff", "\x00\x21", ""),
		"a pointer to the header": record("\x84\x00", oneAnswer, "\xc0\x00", "\x00\x21", ""),
		"half a pointer":          []byte("\x12\x34\x84\x00\x00\x00\x00\x01\x00\x00\x00\x00\xc0"),
		"a name without an end":   record("\x84\x00", oneAnswer, long, "\x00\x21", ""),
		"a label of a bad kind":   record("\x84\x00", oneAnswer, strings.TrimSuffix(wildcardName, "\x00")+"\x80", "\x00\x21", ""),
	} {
		_, err := ParseReply(b)
		require.Error(t, err, name)
	}
}

func TestParseStatus(t *testing.T) {
	entry := func(name string, flags string) string { return name + flags }
	two := entry("FILER          \x00", "\x04\x00") + entry("WORKGROUP      \x00", "\x84\x00")
	whole := "\x02" + two + "\x00\x50\x56\x01\x02\x03" + strings.Repeat("\x00", 40)
	s, err := ParseStatus([]byte(whole))
	require.NoError(t, err)
	require.Equal(t, &Status{
		Names:  []StatusName{{mustName(t, "FILER", 0), FlagActive}, {mustName(t, "WORKGROUP", 0), FlagGroup | FlagActive}},
		Count:  2,
		UnitID: []byte("\x00\x50\x56\x01\x02\x03"),
	}, s)

	s, err = ParseStatus([]byte("\x03" + two))
	require.Error(t, err)
	require.Len(t, s.Names, 2)
	require.Equal(t, 3, s.Count)
	require.Nil(t, s.UnitID)

	s, err = ParseStatus([]byte("\x02" + two + "\x00\x50"))
	require.NoError(t, err)
	require.Nil(t, s.UnitID)

	s, err = ParseStatus(nil)
	require.Error(t, err)
	require.NotNil(t, s.Names)
}

func TestPrintable(t *testing.T) {
	require.True(t, mustName(t, "FILER", SuffixServer).Printable())
	require.True(t, mustName(t, "a b", 0).Printable())
	for _, n := range []Name{Wildcard, Name([]byte("               \x20")), Name([]byte("A\x7f             \x20"))} {
		require.False(t, n.Printable())
	}
}

func TestFileServer(t *testing.T) {
	server := func(text string, flags uint16) StatusName { return StatusName{mustName(t, text, SuffixServer), flags} }
	s := &Status{Names: []StatusName{
		{mustName(t, "WORKSTATION", 0), FlagActive}, server("GROUP", FlagGroup|FlagActive), server("LEAVING", FlagDeregister|FlagActive),
		server("TAKEN", FlagConflict|FlagActive), server("FILER", FlagActive), server("SECOND", FlagActive),
	}}
	n, ok := s.FileServer()
	require.True(t, ok)
	require.Equal(t, mustName(t, "FILER", SuffixServer), n)
	s.Names = s.Names[:4]
	_, ok = s.FileServer()
	require.False(t, ok)
}

func TestParseAddresses(t *testing.T) {
	addrs, err := ParseAddresses([]byte("\x00\x00\xc0\x00\x02\x07" + "\x60\x00\x0a\x00\x00\x01"))
	require.NoError(t, err)
	require.Equal(t, []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("10.0.0.1")}, addrs)
	addrs, err = ParseAddresses([]byte("\x00\x00\xc0\x00\x02\x07\x00"))
	require.Error(t, err)
	require.Len(t, addrs, 1)
	addrs, err = ParseAddresses(make([]byte, 6000))
	require.Error(t, err)
	require.Len(t, addrs, maxAddresses)
}

func TestAppendSessionRequest(t *testing.T) {
	b := AppendSessionRequest(nil, mustName(t, "*SMBSERVER", SuffixServer), mustName(t, "HANDCLASP", SuffixWorkstation))
	require.Equal(t, "\x81\x00\x00\x44\x20CKFDENECFDEFFCFGEFFCCACACACACACA\x00\x20EIEBEOEEEDEMEBFDFACACACACACACAAA\x00", string(b))
}

func TestParseSessionHeader(t *testing.T) {
	kind, length, err := ParseSessionHeader([4]byte{TypeMessage, 1, 2, 3})
	require.NoError(t, err)
	require.EqualValues(t, TypeMessage, kind)
	require.Equal(t, 1<<16|2<<8|3, length)
	_, _, err = ParseSessionHeader([4]byte{TypeMessage, 2, 0, 0})
	require.Error(t, err)
}

// memory is a Reader of what is in memory.
type memory struct{ io.Reader }

func (m memory) ReadFull(p []byte) (int, error) { return io.ReadFull(m, p) }

func inMemory(s string) Reader { return memory{strings.NewReader(s)} }

func TestReadSessionReply(t *testing.T) {
	for input, want := range map[string]SessionReply{
		"\x82\x00\x00\x00":                                 {Type: TypePositive},
		"\x83\x00\x00\x01\x82":                             {Type: TypeNegative, Error: ErrorNameNotPresent},
		"\x84\x00\x00\x06\xc0\x00\x02\x09\x04\x00":         {Type: TypeRetarget, Retarget: netip.MustParseAddrPort("192.0.2.9:1024")},
		"\x85\x00\x00\x00\x85\x00\x00\x00\x82\x00\x00\x00": {Type: TypePositive},
	} {
		r, err := ReadSessionReply(inMemory(input))
		require.NoError(t, err, "%q", input)
		require.Equal(t, &want, r)
	}
}

func TestErrorText(t *testing.T) {
	require.Equal(t, "called name not present", (&SessionReply{Type: TypeNegative, Error: ErrorNameNotPresent}).ErrorText())
	require.Equal(t, "error 8a", (&SessionReply{Type: TypeNegative, Error: 0x8a}).ErrorText())
}

func TestReadNoSessionReply(t *testing.T) {
	for input, want := range map[string]error{
		"220 ready\r\n":                          probe.OutcomeNotProtocol,
		"\x00\x00\x00\x04abcd":                   probe.OutcomeNotProtocol,
		"\x82\x80\x00\x00":                       probe.OutcomeNotProtocol,
		"\x82\x00\x00\x01x":                      probe.OutcomeMalformed,
		"\x83\x00\x00\x00":                       probe.OutcomeMalformed,
		"\x84\x01\x00\x06":                       probe.OutcomeMalformed,
		strings.Repeat("\x85\x00\x00\x00", 1000): probe.OutcomeMalformed,
		"\x82\x00":                               io.ErrUnexpectedEOF,
		"\x84\x00\x00\x06\xc0\x00":               io.ErrUnexpectedEOF,
		"":                                       io.EOF,
	} {
		r, err := ReadSessionReply(inMemory(input))
		require.ErrorIs(t, err, want, "%.20q", input)
		require.Nil(t, r)
	}
}
