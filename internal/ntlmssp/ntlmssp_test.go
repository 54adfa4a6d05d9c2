package ntlmssp

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/probe"
)

func utf16le(s string) (b []byte) {
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func pair(id uint16, value []byte) []byte {
	b := binary.LittleEndian.AppendUint16(nil, id)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
	return append(b, value...)
}

// challenge builds a message as MS-NLMP §2.2.1.2 draws it.
func challenge(flags uint32, name, info []byte, version [8]byte) []byte {
	b := []byte("NTLMSSP\x00\x02\x00\x00\x00")
	fields := func(length, offset int) {
		b = binary.LittleEndian.AppendUint16(b, uint16(length))
		b = binary.LittleEndian.AppendUint16(b, uint16(length))
		b = binary.LittleEndian.AppendUint32(b, uint32(offset))
	}
	fields(len(name), 56)
	b = binary.LittleEndian.AppendUint32(b, flags)
	b = append(b, "\x01\x23\x45\x67\x89\xab\xcd\xef\x00\x00\x00\x00\x00\x00\x00\x00"...)
	fields(len(info), 56+len(name))
	b = append(b, version[:]...)
	b = append(b, name...)
	return append(b, info...)
}

func exchange() []byte {
	var info []byte
	info = append(info, pair(2, utf16le("CORP"))...)
	info = append(info, pair(1, utf16le("MX01"))...)
	info = append(info, pair(4, utf16le("corp.example.com"))...)
	info = append(info, pair(3, utf16le("mx01.corp.example.com"))...)
	info = append(info, pair(5, utf16le("example.com"))...)
	info = append(info, pair(7, binary.LittleEndian.AppendUint64(nil, 132538464000000000))...)
	info = append(info, pair(0, nil)...)
	return challenge(0xa2898205, utf16le("CORP"), info, [8]byte{10, 0, 0x63, 0x45, 0, 0, 0, 15})
}

func TestChallenge(t *testing.T) {
	n, err := Challenge(exchange())
	require.NoError(t, err)
	at := time.Date(2020, 12, 31, 0, 0, 0, 0, time.UTC)
	require.Equal(t, &probe.NTLM{
		TargetName: "CORP", NetBIOSComputer: "MX01", NetBIOSDomain: "CORP", DNSComputer: "mx01.corp.example.com",
		DNSDomain: "corp.example.com", DNSTree: "example.com", OSVersion: "Windows 10.0 build 17763", SystemTime: &at,
	}, n)
}

// The message of MS-NLMP §4.2.4.3.
func TestChallengeOfTheSpecification(t *testing.T) {
	message := "4e544c4d53535000020000000c000c003800000033828ae20123456789abcdef00000000000000002400240044000000060070170000" +
		"000f53006500720076006500720002000c0044006f006d00610069006e0001000c005300650072007600650072000000000000"
	raw := make([]byte, len(message)/2)
	for i := range raw {
		raw[i] = unhex(message[2*i])<<4 | unhex(message[2*i+1])
	}
	n, err := Challenge(raw[:104])
	require.NoError(t, err)
	require.Equal(t, &probe.NTLM{
		TargetName: "Server", NetBIOSComputer: "Server", NetBIOSDomain: "Domain", OSVersion: "Windows 6.0 build 6000",
	}, n)
}

func unhex(c byte) byte {
	if c >= 'a' {
		return c - 'a' + 10
	}
	return c - '0'
}

func TestChallengeOfSamba(t *testing.T) {
	n, err := Challenge(challenge(0xe2898205, nil, nil, [8]byte{6, 1, 0, 0, 0, 0, 0, 15}))
	require.NoError(t, err)
	require.Equal(t, "Windows 6.1 build 0", n.OSVersion)
	require.Empty(t, n.TargetName)
	require.Nil(t, n.SystemTime)
}

// Old Sambas count the NUL at the end of a name as part of it.
func TestChallengeWithNULs(t *testing.T) {
	info := slices.Concat(pair(1, utf16le("TS412")), pair(4, utf16le("\x00")), pair(3, utf16le("ts412\x00")), pair(0, nil))
	n, err := Challenge(challenge(0xe2898205, utf16le("TS412\x00"), info, [8]byte{6, 1, 0, 0, 0, 0, 0, 15}))
	require.NoError(t, err)
	require.Equal(t, &probe.NTLM{TargetName: "TS412", NetBIOSComputer: "TS412", DNSComputer: "ts412", OSVersion: "Windows 6.1 build 0"}, n)
}

// A version is a claim: some software fills the structure with noise.
func TestOSVersion(t *testing.T) {
	for version, want := range map[[8]byte]string{
		{5, 1, 0x28, 0x0a, 0, 0, 0, 15}:                    "Windows 5.1 build 2600",
		{10, 0, 0xf4, 0x65, 0, 0, 0, 15}:                   "Windows 10.0 build 26100",
		{255, 255, 255, 255, 255, 255, 255, 255}:           "255.255 build 65535 revision 255", // impacket
		{10, 0, 0x63, 0x45, 0, 0, 0, 0}:                    "10.0 build 17763 revision 0",
		{0, 0, 0, 0, 0, 0, 0, 15}:                          "0.0 build 0 revision 15",
		{7, 0, 0x63, 0x45, 0, 0, 0, 15}:                    "7.0 build 17763 revision 15",
		{6, 3, 0x80, 0x25, 0xff, 0xff, 0xff, revisionW2K3}: "Windows 6.3 build 9600",
	} {
		n, err := Challenge(challenge(0xe2898205, nil, nil, version))
		require.NoError(t, err)
		require.Equal(t, want, n.OSVersion)
	}
}

func TestChallengeWithoutTargetInfo(t *testing.T) {
	whole := challenge(0x00008206, []byte("OLDBOX"), nil, [8]byte{})
	short := append([]byte(nil), whole[:32]...)
	short = append(short, "OLDBOX"...)
	binary.LittleEndian.PutUint32(short[16:], 32)
	n, err := Challenge(short)
	require.NoError(t, err)
	require.Equal(t, "OLDBOX", n.TargetName, "OEM characters")
	require.Empty(t, n.OSVersion, "no version flag")
}

func TestChallengeOutOfBounds(t *testing.T) {
	for name, change := range map[string]func(b []byte) []byte{
		"name":           func(b []byte) []byte { binary.LittleEndian.PutUint32(b[16:], uint32(len(b))); return b },
		"name wraps":     func(b []byte) []byte { binary.LittleEndian.PutUint32(b[16:], 0xfffffffe); return b },
		"target info":    func(b []byte) []byte { binary.LittleEndian.PutUint16(b[40:], 0xffff); return b },
		"cut":            func(b []byte) []byte { return b[:len(b)-6] },
		"a pair's value": func(b []byte) []byte { binary.LittleEndian.PutUint16(b[56+8+2:], 0x7fff); return b },
		"a pair's head":  func(b []byte) []byte { binary.LittleEndian.PutUint16(b[40:], 4+8+3); return b },
	} {
		t.Run(name, func(t *testing.T) {
			n, err := Challenge(change(exchange()))
			require.ErrorIs(t, err, errBounds)
			require.NotNil(t, n)
			require.Equal(t, "Windows 10.0 build 17763", n.OSVersion, "the rest is kept")
		})
	}
}

func TestNoChallenge(t *testing.T) {
	for _, b := range [][]byte{nil, []byte("NTLMSSP\x00"), Negotiate(), []byte(strings.Repeat("x", 64)), exchange()[:31]} {
		n, err := Challenge(b)
		require.ErrorIs(t, err, errNoChallenge)
		require.Nil(t, n)
	}
}

func TestNegotiate(t *testing.T) {
	require.Equal(t, "TlRMTVNTUAABAAAABYIIogAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADw==", base64.StdEncoding.EncodeToString(Negotiate()))
	require.True(t, IsNegotiate(Negotiate()))

	authenticate := Negotiate()
	authenticate[8] = 3
	named := Negotiate()
	named[16] = 4
	for _, b := range [][]byte{nil, authenticate, named, exchange(), append(Negotiate(), 0), Negotiate()[:39]} {
		require.False(t, IsNegotiate(b), "%q", b)
	}
}

func FuzzChallenge(f *testing.F) {
	f.Add(exchange())
	f.Add(exchange()[:60])
	f.Add(Negotiate())
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := Challenge(b)
		if n == nil {
			require.ErrorIs(t, err, errNoChallenge)
			return
		}
		encoded, err := json.Marshal(n)
		require.NoError(t, err)
		decoded := new(probe.NTLM)
		require.NoError(t, json.Unmarshal(encoded, decoded))
		require.Equal(t, n, decoded)
	})
}
