package ssh

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
)

const transcripts = "testdata/transcripts/"

func TestParseIdentification(t *testing.T) {
	for line, want := range map[string]identification{
		"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3": {"2.0", "OpenSSH_9.2p1", "Debian-2+deb12u3"},
		"SSH-2.0-dropbear_2022.83":               {"2.0", "dropbear_2022.83", ""},
		"SSH-1.99-Cisco-1.25":                    {"1.99", "Cisco-1.25", ""},
		"SSH-1.5-OpenSSH-1.2.3":                  {"1.5", "OpenSSH-1.2.3", ""},
		"SSH-2.0-MOVEit Transfer SFTP":           {"2.0", "MOVEit", "Transfer SFTP"},
		"SSH-2.0-mod_sftp":                       {"2.0", "mod_sftp", ""},
		"SSH-2.0-":                               {"2.0", "", ""},
		"SSH-2.0- a comment":                     {"2.0", "", "a comment"},
	} {
		got, ok := parseIdentification(line)
		require.True(t, ok, line)
		require.Equal(t, want, got, line)
	}
	for _, line := range []string{"", "SSH", "SSH-", "SSH-2.0", "SSH--x", "ssh-2.0-x", " SSH-2.0-x"} {
		_, ok := parseIdentification(line)
		require.False(t, ok, line)
	}
	for version, two := range map[string]bool{"2.0": true, "1.99": true, "2.1": true, "1.5": false, "1.3": false, "": false, "3.0": false} {
		require.Equal(t, two, speaks2(version), version)
	}
}

func TestCutPacket(t *testing.T) {
	whole := append(packet([]byte{msgIgnore, 1, 2}), "rest"...)
	payload, rest, err := cutPacket(whole)
	require.NoError(t, err)
	require.Equal(t, []byte{msgIgnore, 1, 2}, payload)
	require.Equal(t, "rest", string(rest))
	for n := range len(whole) - len("rest") {
		_, _, err := cutPacket(whole[:n])
		require.ErrorIs(t, err, errIncomplete, "%d bytes", n)
	}
	for name, b := range map[string]string{
		"too long":         "\x00\x00\x88\xb5\x04", // one byte
		"longest":          "\xff\xff\xff\xff\x04",
		"empty":            "\x00\x00\x00\x00\x00",
		"only padding":     "\x00\x00\x00\x08\x07\x15\x00\x00\x00\x00\x00\x00",
		"more padding":     "\x00\x00\x00\x08\xff\x15\x00\x00\x00\x00\x00\x00",
		"text":             "HTTP/1.1 400 Bad Request\r\n",
		"less than a byte": "\x00\x00\x00\x05\x04\x00\x00\x00\x00",
	} {
		_, _, err := cutPacket([]byte(b))
		require.Error(t, err, name)
		require.NotErrorIs(t, err, errIncomplete, name)
	}
}

// A packet may be as long as RFC 4253 §6.1 has it, and no longer.
func TestLongestPacket(t *testing.T) {
	_, _, err := cutPacket([]byte("\x00\x00\x88\xb4\x04")) // 35,000 bytes with its length
	require.ErrorIs(t, err, errIncomplete)
	_, _, err = cutPacket([]byte("\x00\x00\x88\xb5\x04"))
	require.ErrorContains(t, err, "35001 bytes")
}

// The blobs of keys, some of which the library refuses.
func TestDescribeKey(t *testing.T) {
	str := func(parts ...string) (b []byte) {
		for _, p := range parts {
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(p))), p...)
		}
		return b
	}
	modulus := "\x00\xc0" + strings.Repeat("\x55", 254) + "\x01" // 2048 bits
	for name, c := range map[string]struct {
		blob       []byte
		kind       string
		bits       int
		verifiable bool
	}{
		"RSA":                             {str("ssh-rsa", "\x01\x00\x01", modulus), "ssh-rsa", 2048, true},
		"RSA with an exponent of 30 bits": {str("ssh-rsa", "\x2f\xff\xff\xff", modulus), "ssh-rsa", 2048, false},
		"RSA of 768 bits":                 {str("ssh-rsa", "\x23", "\x00\xc0"+strings.Repeat("\x55", 95)), "ssh-rsa", 768, false},
		"RSA of 17,000 bits":              {str("ssh-rsa", "\x23", "\x55"+strings.Repeat("\x55", 2124)), "ssh-rsa", 16999, false},
		"Ed448":                           {str("ssh-ed448", strings.Repeat("x", 57)), "ssh-ed448", 0, false},
		"a curve of Koblitz":              {str("ecdsa-sha2-1.3.132.0.10", "1.3.132.0.10", "\x04"), "", 0, false},
		"Ed25519":                         {str("ssh-ed25519", strings.Repeat("x", 32)), "ssh-ed25519", 256, true},
		"half an RSA key":                 {str("ssh-rsa", "\x01\x00\x01"), "", 0, false},
		"a negative modulus":              {str("ssh-rsa", "\x01\x00\x01", "\xff"), "", 0, false},
		"zero":                            {str("ssh-rsa", "\x01\x00\x01", "\x00"), "", 0, false},
		"bytes behind":                    {append(str("ssh-rsa", "\x01\x00\x01", modulus), 1), "", 0, false},
		"nothing":                         {nil, "", 0, false},
		"an empty type":                   {str(""), "", 0, false},
		"half a certificate":              {str("ssh-rsa" + certSuffix), "", 0, false},
	} {
		h, ok := describeKey(c.blob)
		require.Equal(t, c.kind != "", ok, name)
		if !ok {
			continue
		}
		require.Equal(t, c.kind, h.Type, name)
		require.Equal(t, c.bits, h.Bits, name)
		require.Equal(t, c.verifiable, verifiable(h), name)
		require.Len(t, h.SHA256, len("SHA256:")+43, name)
		require.Equal(t, c.blob, h.Key, name)
	}
}

// lists is a KEXINIT with lists of its own for each field.
func lists() kexInit {
	return kexInit{
		Kex: []string{"curve25519-sha256", "kex-strict-s-v00@openssh.com"}, HostKey: []string{"rsa-sha2-512", "ssh-rsa", "ssh-ed25519"},
		CiphersClientToServer: []string{"aes128-ctr"}, CiphersServerToClient: []string{"aes256-ctr", "aes128-ctr"},
		MACsClientToServer: []string{"hmac-sha2-256"}, MACsServerToClient: []string{"hmac-sha2-512"},
		CompressionClientToServer: []string{"none"}, CompressionServerToClient: []string{"none", "zlib"},
		LanguagesClientToServer: []string{}, LanguagesServerToClient: []string{"en"}, FirstKexFollows: true,
	}
}

// firstKexInit returns the KEXINIT that a stream of packets begins with, behind messages that may be ignored.
func firstKexInit(stream []byte) *kexInit {
	var c cleartext
	_ = c.follow(stream)
	return c.lists
}

// However what a server says is cut to pieces, the same is kept of it.
func TestCleartextInPieces(t *testing.T) {
	first, second := lists(), lists()
	second.Kex = []string{"diffie-hellman-group14-sha256"}
	reply := packet(append([]byte{msgKexReply}, "\x00\x00\x00\x01xsignature"...))
	stream := append(packet([]byte{msgDebug}), packet(ssh.Marshal(&first))...)
	stream = append(append(stream, packet(ssh.Marshal(&second))...), reply...)
	stream = append(append(stream, packet([]byte{msgNewKeys})...), "ciphertext"...)
	for size := range len(stream) {
		var c cleartext
		for piece := range slices.Chunk(stream, size+1) {
			require.NoError(t, c.follow(bytes.Clone(piece)))
		}
		require.Equal(t, &first, c.lists)
		require.False(t, c.large, "the first lists are those that count")
		require.Equal(t, reply, c.replies)
		require.True(t, c.over)
	}
}

func TestKexInit(t *testing.T) {
	k := lists()
	stream := append(packet(append([]byte{msgIgnore}, "\x00\x00\x00\x01x"...)), packet(ssh.Marshal(&k))...)
	got := firstKexInit(stream)
	require.Equal(t, &k, got)
	require.Equal(t, &Algorithms{
		Kex: k.Kex, HostKey: k.HostKey,
		CiphersClientToServer: k.CiphersClientToServer, CiphersServerToClient: k.CiphersServerToClient,
		MACsClientToServer: k.MACsClientToServer, MACsServerToClient: k.MACsServerToClient,
		Compression: []string{"none", "zlib"}, CompressionClientToServer: []string{"none"},
		LanguagesClientToServer: []string{}, LanguagesServerToClient: []string{"en"}, FirstKexFollows: true,
	}, got.algorithms())
	require.Equal(t, probe.Yes, got.strict())
	k.Kex = []string{"curve25519-sha256", "kex-strict-s"}
	require.Equal(t, probe.Yes, k.strict())
	k.Kex = []string{"kex-strict-c-v00@openssh.com"} // a client's word
	require.Equal(t, probe.No, k.strict())
	for n := range len(stream) {
		require.Nil(t, firstKexInit(stream[:n]))
	}
	require.Nil(t, firstKexInit(packet([]byte{msgNewKeys})), "another message")
	require.Nil(t, firstKexInit(packet([]byte{msgKexInit})), "a KEXINIT without lists")
}

// The MD5 sum of "a,b;c;d;e".
func TestHASSH(t *testing.T) {
	k := kexInit{
		Kex: []string{"a", "b"}, CiphersServerToClient: []string{"c"}, MACsServerToClient: []string{"d"}, CompressionServerToClient: []string{"e"},
		CiphersClientToServer: []string{"x"}, MACsClientToServer: []string{"y"}, CompressionClientToServer: []string{"z"},
	}
	require.Equal(t, "7705a3fd7026ececbfb9369478416c85", k.hassh())
}

func TestKeyTypes(t *testing.T) {
	require.Equal(t, []string{"ssh-rsa", "ssh-ed25519", "ssh-rsa-cert-v01@openssh.com", "x"}, keyTypes([]string{
		"rsa-sha2-512", "ssh-rsa", "ssh-ed25519", "rsa-sha2-256-cert-v01@openssh.com", "ssh-rsa-cert-v01@openssh.com", "", "x", "rsa-sha2-256",
	}))
	require.Equal(t, []string{"rsa-sha2-256", "rsa-sha2-512", "ssh-rsa"}, algorithmsFor("ssh-rsa"))
	require.Empty(t, algorithmsFor("ssh-ed448"))
	require.Equal(t, offeredHostKeys, algorithmsFor(""))
}

// What is offered is all that the library has, and no more; it may have more in later versions.
func TestOffers(t *testing.T) {
	good, bad := ssh.SupportedAlgorithms(), ssh.InsecureAlgorithms()
	kex := append(append(good.KeyExchanges, bad.KeyExchanges...), "curve25519-sha256@libssh.org")
	require.Subset(t, kex, offeredKex)
	require.Subset(t, append(good.Ciphers, bad.Ciphers...), offeredCiphers)
	require.Subset(t, append(good.MACs, bad.MACs...), offeredMACs)
	require.Subset(t, append(good.HostKeys, bad.HostKeys...), offeredHostKeys)
}

func TestTransferHint(t *testing.T) {
	for software, want := range map[string]string{
		"mod_sftp": "sftp", "mod_sftp/0.9.9": "sftp", "SFTPGo_2.5.4": "sftp", "AWS_SFTP_1.1": "sftp",
		"OpenSSH_9.2p1": "", "dropbear_2022.83": "", "": "",
	} {
		require.Equal(t, want, transferHint(software), software)
	}
}

func TestRecognise(t *testing.T) {
	for said, want := range map[string]probe.Recognition{
		"": probe.Undecided, "S": probe.Undecided, "SSH": probe.Undecided, "SSH-": probe.Recognised, "SSH-2.0-x\r\n": probe.Recognised,
		"Welcome\r\nSSH-2.0-x\r\n": probe.Recognised, "Welcome\n": probe.Undecided, "Welcome\nSS": probe.Undecided, "Wel": probe.Undecided,
		"220 ftp\r\n": probe.Foreign, "220-ftp": probe.Foreign, "@RSYNCD: 31.0\n": probe.Foreign, "HTTP/1.1 400\r\n": probe.Foreign,
		"+OK": probe.Foreign, "\xff\xfd\x18": probe.Foreign, "\x00\x00": probe.Foreign, "200 news\r\n": probe.Foreign,
		"Not allowed at this time": probe.Undecided, "Not allowed at this time\r\n": probe.Recognised, "Exceeded MaxStartups\r\n": probe.Recognised,
	} {
		require.Equal(t, want, Prober{}.Recognise([]byte(said)), "%q", said)
	}
}

// Whatever a server says in the clear, parsing it ends, and what is found is text.
func FuzzStream(f *testing.F) {
	probetest.Seeds(f, transcripts+"*.txt")
	k := lists()
	f.Add(packet(ssh.Marshal(&k)))
	f.Add(packet(ssh.Marshal(&kexInit{Kex: []string{"", "a", ""}, Reserved: 1 << 31})))
	f.Add(append(packet([]byte{msgDebug}), packet(ssh.Marshal(&k))...))
	f.Fuzz(func(t *testing.T, stream []byte) {
		var whole, pieces cleartext
		wholeErr := whole.follow(stream)
		var err error
		for piece := range slices.Chunk(stream, 7) {
			if err = pieces.follow(piece); err != nil {
				break
			}
		}
		require.Equal(t, wholeErr, err)
		require.Equal(t, whole.lists, pieces.lists)
		require.Equal(t, whole.replies, pieces.replies)
		if k := whole.lists; k != nil {
			a := k.algorithms()
			for _, name := range append(append([]string{}, a.Kex...), a.HostKey...) {
				require.True(t, strings.ToValidUTF8(name, "") == name)
			}
			require.Len(t, k.hassh(), 32)
			_ = keyTypes(a.HostKey)
			for _, r := range Rules {
				if p := r.Check(&probe.Result{Evidence: &Evidence{Algorithms: a, StrictKex: k.strict()}}).Proof(); p != nil {
					require.NotEmpty(t, p.Basis)
				}
			}
		}
		if payload, _, err := cutPacket(stream); err == nil && payload[0] == msgKexInit {
			want := new(kexInit)
			if ssh.Unmarshal(payload, want) != nil {
				want = nil
			}
			require.Equal(t, want, parseKexInit(payload), "not as the library reads it")
		}
		if key := shownHostKey(stream); key != nil {
			h, ok := describeKey(key)
			require.True(t, ok)
			require.NotEmpty(t, h.Type)
			require.True(t, strings.HasPrefix(h.SHA256, "SHA256:"))
		}
	})
}

// Whatever line a server begins with, its parts are of it.
func FuzzIdentification(f *testing.F) {
	probetest.Seeds(f, transcripts+"*.txt")
	f.Add([]byte("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3"))
	f.Fuzz(func(t *testing.T, line []byte) {
		id, ok := parseIdentification(string(line))
		if ok {
			joined := "SSH-" + id.version + "-" + id.software
			require.True(t, strings.HasPrefix(string(line), joined))
			require.True(t, id.comment == "" || string(line) == joined+" "+id.comment)
		}
		_ = Prober{}.Recognise(line)
		_ = foreign(line)
	})
}
