package smb

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/ntlmssp"
	"github.com/handclasp/handclasp/probe"
)

// reply is a negotiate reply of a dialect with what follows its fixed part.
func reply(dialect uint16, behind ...byte) []byte {
	body := make([]byte, negotiateReplySize-1)
	body[0] = negotiateReplySize
	le.PutUint16(body[4:], dialect)
	b := header{command: commandNegotiate}.request(append(body, behind...))
	b[16] = flagResponse
	return b
}

func TestParseNegotiate(t *testing.T) {
	n, err := parseNegotiate(reply(dialect202))
	require.NoError(t, err)
	require.Equal(t, &negotiateReply{dialect: dialect202}, n)

	for i := range reply(dialect202) {
		n, err := parseNegotiate(reply(dialect202)[:i])
		require.Error(t, err)
		require.Nil(t, n)
	}

	b := reply(dialect202, []byte("token")...)
	b[headerSize+56], b[headerSize+58] = 128, 5
	n, err = parseNegotiate(b)
	require.NoError(t, err)
	require.Equal(t, "token", string(n.token))

	b[headerSize+58]++
	n, err = parseNegotiate(b)
	require.ErrorContains(t, err, "points outside")
	require.Equal(t, uint16(dialect202), n.dialect, "the rest stays")

	b[headerSize] = 9
	_, err = parseNegotiate(b)
	require.ErrorContains(t, err, "size 9")

	refusal := reply(dialect202)
	le.PutUint32(refusal[8:], statusNotSupported)
	_, err = parseNegotiate(refusal)
	require.ErrorContains(t, err, "size 65", "a refusal has a shape of its own")
	refusal[headerSize] = errorSize
	n, err = parseNegotiate(refusal)
	require.NoError(t, err)
	require.Equal(t, &negotiateReply{status: statusNotSupported}, n)
}

// padded is one context of a reply, padded to where the next one may begin.
func padded(kind uint16, data string) string {
	b := le.AppendUint16(nil, kind)
	b = append(le.AppendUint16(b, uint16(len(data))), 0, 0, 0, 0)
	b = append(b, data...)
	for len(b)%8 != 0 {
		b = append(b, 0)
	}
	return string(b)
}

func TestParseContexts(t *testing.T) {
	const start = headerSize
	hash := padded(contextPreauth, "\x01\x00\x00\x00\x01\x00")
	for name, c := range map[string]struct {
		contexts string
		count    int
		offset   uint32
		want     contexts
		err      string
	}{
		"none":            {},
		"the hash":        {hash, 1, start, contexts{hashes: []uint16{1}}, ""},
		"not padded":      {hash[:14], 1, start, contexts{hashes: []uint16{1}}, ""},
		"a salt":          {padded(contextPreauth, "\x01\x00\x04\x00\x01\x00salt"), 1, start, contexts{hashes: []uint16{1}}, ""},
		"a cipher":        {hash + padded(contextEncryption, "\x01\x00\x02\x00"), 2, start, contexts{hashes: []uint16{1}, ciphers: []uint16{2}}, ""},
		"no cipher":       {padded(contextEncryption, "\x01\x00\x00\x00"), 1, start, contexts{ciphers: []uint16{}}, ""},
		"HMAC is zero":    {padded(contextSigning, "\x01\x00\x00\x00"), 1, start, contexts{signing: []uint16{0}}, ""},
		"chained":         {padded(contextCompression, "\x02\x00\x00\x00\x01\x00\x00\x00\x04\x00\x02\x00"), 1, start, contexts{compression: []uint16{4, 2}, chained: true}, ""},
		"no compression":  {padded(contextCompression, "\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00"), 1, start, contexts{compression: []uint16{}}, ""},
		"unknown":         {padded(0x100, "posix") + hash, 2, start, contexts{hashes: []uint16{1}}, ""},
		"twice":           {hash + padded(contextPreauth, "\x01\x00\x00\x00\x07\x00"), 2, start, contexts{hashes: []uint16{1}}, ""},
		"short":           {hash + padded(contextEncryption, "\x02\x00\x02\x00"), 2, start, contexts{hashes: []uint16{1}}, "ends too early"},
		"short, not last": {padded(contextCompression, "\x01\x00") + hash, 2, start, contexts{hashes: []uint16{1}}, "ends too early"},
		"missing":         {hash, 2, start, contexts{hashes: []uint16{1}}, "missing"},
		"too long":        {hash + "\x02\x00\xff\xff\x00\x00\x00\x00", 2, start, contexts{hashes: []uint16{1}}, "points outside"},
		"too many":        {hash, 17, start, contexts{}, "17 contexts"},
		"many algorithms": {padded(contextSigning, "\x11\x00"+strings.Repeat("\x01\x00", 17)), 1, start, contexts{}, "17 algorithms"},
		"in the header":   {hash, 1, 8, contexts{}, "outside"},
		"behind the end":  {hash, 1, 1 << 31, contexts{}, "outside"},
	} {
		got, err := parseContexts(append(make([]byte, start), c.contexts...), c.offset, c.count)
		require.Equal(t, c.want, got, name)
		if c.err == "" {
			require.NoError(t, err, name)
		} else {
			require.ErrorContains(t, err, c.err, name)
		}
	}
}

func TestNames(t *testing.T) {
	require.Equal(t, []string{"DFS", "ENCRYPTION", "NOTIFICATIONS", "0x00000100", "0x80000000"}, capabilityList(0x800001c1))
	require.Equal(t, []string{}, capabilityList(0))
	require.Equal(t, []string{"AES-128-GCM", "0x0009"}, names([]uint16{2, 9}, cipherNames))
	require.Equal(t, "STATUS_NOT_SUPPORTED", statusName(statusNotSupported))
	require.Equal(t, "0x0000000b", statusName(0xb))
}

func TestMechanisms(t *testing.T) {
	const ntlm = "\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"
	token := func(oid, list string) []byte {
		wrap := func(tag byte, s string) string { return string([]byte{tag, byte(len(s))}) + s }
		return []byte(wrap(0x60, wrap(6, oid)+wrap(0xa0, wrap(0x30, wrap(0xa0, wrap(0x30, list))))))
	}
	const spnego = "\x2b\x06\x01\x05\x05\x02"
	list, err := parseMechanisms(token(spnego, ntlm+"\x06\x03\x2a\x03\x04"))
	require.NoError(t, err)
	require.Equal(t, []string{"NTLM", "1.2.3.4"}, list)

	// Samba's, with the hint that is there to be ignored.
	list, err = parseMechanisms([]byte("\x60\x48\x06\x06" + spnego + "\xa0\x3e\x30\x3c\xa0\x0e\x30\x0c" + ntlm +
		"\xa3\x2a\x30\x28\xa0\x26\x1b\x24not_defined_in_RFC4178@please_ignore"))
	require.NoError(t, err)
	require.Equal(t, []string{"NTLM"}, list)

	list, err = parseMechanisms(token(spnego, ntlm+"\x04\x01x"))
	require.Error(t, err)
	require.Equal(t, []string{"NTLM"}, list, "those before stay")
	_, err = parseMechanisms(token("\x2a\x03", ntlm))
	require.ErrorContains(t, err, "1.2.3")
	list, err = parseMechanisms(token(spnego, strings.Repeat("\x06\x01\x2a", 17)))
	require.ErrorContains(t, err, "more than 16")
	require.Len(t, list, 16)
	for _, b := range []string{"", "\x60", "\x60\x80", "\x60\x84\xff\xff\xff\xff", "NTLMSSP\x00", string(token(spnego, ntlm)[:20])} {
		_, err := parseMechanisms([]byte(b))
		require.Error(t, err, "%q", b)
	}
}

func TestChallengeOf(t *testing.T) {
	m, err := challengeOf([]byte("NTLMSSP\x00bare"))
	require.NoError(t, err)
	require.Equal(t, "NTLMSSP\x00bare", string(m))
	m, err = challengeOf([]byte("\xa1\x0b\x30\x09\xa0\x03\x0a\x01\x01\xa2\x02\x04\x00"))
	require.Error(t, err)
	require.Empty(t, m)
	m, err = challengeOf([]byte("\xa1\x0e\x30\x0c\xa0\x03\x0a\x01\x01\xa2\x05\x04\x03abc"))
	require.NoError(t, err)
	require.Equal(t, "abc", string(m))
	for _, form := range []string{"\x81", "\x82\x00", "\x84\x00\x00\x00"} { // lengths as NetApp and macOS write them
		der := func(tag, content string) string { return tag + form + string(rune(len(content))) + content }
		m, err = challengeOf([]byte(der("\xa1", der("\x30", der("\xa0", "\x0a\x01\x01")+der("\xa2", der("\x04", "ab"))))))
		require.NoError(t, err, "%q", form)
		require.Equal(t, "ab", string(m))
		list, err := parseMechanisms([]byte(der("\x60", der("\x06", "\x2b\x06\x01\x05\x05\x02")+der("\xa0", der("\x30", der("\xa0", der("\x30", der("\x06", "\x2a\x03\x04"))))))))
		require.NoError(t, err, "%q", form)
		require.Equal(t, []string{"1.2.3.4"}, list)
	}
	_, err = challengeOf(ntlmToken(ntlmssp.Negotiate()))
	require.Error(t, err, "a first token")
}

// reply1 is a reply of SMB1 to message 0.
func reply1(words string, data string) []byte {
	b := header1{command: command1Negotiate, flags2: flag2Unicode}.request(body1([]byte(words), []byte(data)))
	b[9] |= flag1Reply
	return b
}

func TestParseNegotiate1(t *testing.T) {
	nt := "\x04\x00\x07" + strings.Repeat("\x00", 30) + "\x08"
	lanman := "\x03\x00\x01" + strings.Repeat("\x00", 23)
	for name, c := range map[string]struct {
		message []byte
		want    *negotiate1Reply
	}{
		"core":                      {reply1("\x00\x00", ""), &negotiate1Reply{dialect: smb1Dialects[0]}},
		"LANMAN2.1":                 {reply1(lanman, ""), &negotiate1Reply{dialect: "LANMAN2.1", securityMode: 1}},
		"NT LM 0.12":                {reply1(nt, "12345678W\x00\x00\x00S\x00\x00\x00"), &negotiate1Reply{dialect: dialectNTLM012, securityMode: 7, signing: true, domain: "W", serverName: "S"}},
		"no server":                 {reply1(nt, "12345678W\x00"), &negotiate1Reply{dialect: dialectNTLM012, securityMode: 7, signing: true, domain: "W"}},
		"half a challenge":          {reply1(nt, "1234"), &negotiate1Reply{dialect: dialectNTLM012, securityMode: 7, signing: true}},
		"none":                      {reply1("\xff\xff", ""), &negotiate1Reply{refused: true}},
		"none, in many words":       {reply1("\xff\xff"+lanman[2:], ""), &negotiate1Reply{refused: true}},
		"one that wasn't offered":   {reply1("\x05\x00"+lanman[2:], ""), nil},
		"core, which wasn't chosen": {reply1("\x01\x00", ""), nil},
		"NT in few words":           {reply1("\x04\x00"+lanman[2:], ""), nil},
		"no words":                  {reply1("", ""), nil},
		"fewer words than it says":  {reply1(nt, "")[:60], nil},
		"fewer bytes than it says":  {reply1(nt, "12345678")[:70], nil},
		"another protocol":          {[]byte(strings.Repeat("x", 40)), nil},
	} {
		got, err := parseNegotiate1(c.message, smb1Dialects)
		require.Equal(t, c.want, got, name)
		require.Equal(t, c.want == nil, err != nil, name)
	}

	// Neither room nor a command like that says that no dialect is spoken.
	for status, refused := range map[uint32]bool{0xc0000205: false, 0xc0000002: false, statusNotSupported: true} {
		b := reply1("", "")
		le.PutUint32(b[5:], status)
		n, err := parseNegotiate1(b, smb1Dialects)
		require.NoError(t, err)
		require.Equal(t, &negotiate1Reply{status: status, refused: refused}, n)
	}
}

func TestParseSessionSetup1(t *testing.T) {
	make1 := func(unicode bool, size byte, data string) []byte {
		b := reply1("\xff\x00\x00\x00\x00\x00"+string([]byte{size, 0}), data)
		b[4], b[30] = command1SessionSetup, 1
		if !unicode {
			b[10], b[11] = 0, 0
		}
		return b
	}
	s, err := parseSessionSetup1(make1(true, 2, "tk\x00O\x00S\x00\x00\x00L\x00M\x00\x00\x00W\x00\x00\x00"))
	require.NoError(t, err)
	require.Equal(t, &setupReply{token: []byte("tk"), nativeOS: "OS", nativeLM: "LM", domain: "W"}, s, "padded to an even place")
	s, err = parseSessionSetup1(make1(true, 3, "tokO\x00S\x00\x00\x00L\x00M\x00"))
	require.NoError(t, err)
	require.Equal(t, "LM", s.nativeLM, "without an end")
	s, err = parseSessionSetup1(make1(true, 2, "tkO\x00S\x00\x00\x00L\x00M\x00\x00\x00"))
	require.NoError(t, err)
	require.Equal(t, [2]string{"OS", "LM"}, [2]string{s.nativeOS, s.nativeLM}, "not padded, to an odd place")
	s, err = parseSessionSetup1(make1(true, 2, "tk\xffO\x00S\x00\x00\x00L\x00M\x00\x00\x00"))
	require.NoError(t, err)
	require.Equal(t, "OS", s.nativeOS, "padded with anything")
	s, err = parseSessionSetup1(make1(true, 3, "tok\x00O\x00S\x00\x00\x00L\x00M\x00\x00\x00"))
	require.NoError(t, err)
	require.Equal(t, [2]string{"OS", "LM"}, [2]string{s.nativeOS, s.nativeLM}, "padded to an odd place")
	s, err = parseSessionSetup1(make1(false, 2, "tkUnix\x00Samba 3.0\x00"))
	require.NoError(t, err)
	require.Equal(t, [2]string{"Unix", "Samba 3.0"}, [2]string{s.nativeOS, s.nativeLM})
	s, err = parseSessionSetup1(make1(true, 9, "tk"))
	require.Error(t, err)
	require.NotNil(t, s)
	s, err = parseSessionSetup1(make1(true, 2, "tk"))
	require.NoError(t, err)
	require.Empty(t, s.nativeOS)
}

// The messages as real clients have them, to the byte.
func TestMessages(t *testing.T) {
	random := [randomSize]byte{0: 0xaa, guidSize: 0xbb}
	require.Equal(t, "\xfeSMB\x40\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00"+strings.Repeat("\x00", 48)+
		"\x24\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00\x00\xaa"+strings.Repeat("\x00", 15+8)+"\x02\x02",
		string(header{command: commandNegotiate}.request(negotiate(dialects[:1], everything, random))))

	b := header{command: commandNegotiate}.request(negotiate(dialects, everything, random))
	contextsAt := le.Uint32(b[92:])
	require.EqualValues(t, 112, contextsAt)
	c, err := parseContexts(b, contextsAt, int(le.Uint16(b[96:])))
	require.NoError(t, err)
	require.Equal(t, contexts{
		hashes: []uint16{hashSHA512}, ciphers: everything.ciphers, compression: everything.compression, signing: everything.signing, chained: true,
	}, c)
	require.EqualValues(t, saltSize, le.Uint16(b[contextsAt+10:]))
	require.EqualValues(t, 0xbb, b[contextsAt+14])

	require.Equal(t, "\xffSMBr\x00\x00\x00\x00\x18\x01\xc0"+strings.Repeat("\x00", 20)+"\x00\x0c\x00\x02NT LM 0.12\x00",
		string(negotiate1(smb1Dialects[4:], false)))
}

func TestEncryption(t *testing.T) {
	for want, n := range map[probe.Fact][]negotiateReply{
		probe.Yes: {{dialect: dialect300, capabilities: capEncryption}, {dialect: dialect311, contexts: contexts{ciphers: []uint16{1}}}},
		probe.No:  {{dialect: dialect210, capabilities: capEncryption}, {dialect: dialect302}, {dialect: dialect311, capabilities: capEncryption}},
	} {
		for _, r := range n {
			require.Equal(t, want, r.encryption(), "%#04x", r.dialect)
		}
	}
}

// Hanging up on SMB1 says no only if nothing else explains it.
func TestHungUpOnSMB1(t *testing.T) {
	closed := probe.Errorf(opNegotiate, probe.OutcomeClosed, "closed")
	refused := probe.Errorf(opSession, probe.OutcomeRefused, "no more sessions")
	answered, silent := Negotiation{Spoken: probe.Yes}, Negotiation{Outcome: probe.OutcomeClosed}
	for name, c := range map[string]struct {
		matrix   []Negotiation
		prefers  string
		a        answer
		expected probe.Fact
	}{
		"all others answered":     {[]Negotiation{answered, answered}, "3.1.1", answer{asked: true, err: closed}, probe.No},
		"it drops others as well": {[]Negotiation{answered, silent}, "3.1.1", answer{asked: true, err: closed}, probe.Unknown},
		"it speaks no SMB 2":      {nil, "", answer{asked: true, err: closed}, probe.Unknown},
		"no connection":           {[]Negotiation{answered}, "3.1.1", answer{err: probe.Errorf("dial", probe.OutcomeRefused, "refused")}, probe.Unknown},
		"no session":              {[]Negotiation{answered}, "3.1.1", answer{err: refused}, probe.Unknown},
		"dropped before asked":    {[]Negotiation{answered}, "3.1.1", answer{err: closed}, probe.Unknown},
		"silence":                 {[]Negotiation{answered}, "3.1.1", answer{asked: true, err: probe.Errorf("read", probe.OutcomeTimeout, "silence")}, probe.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			e := new(Evidence)
			e.NegotiateStatus, e.PreferredDialect, e.Matrix = "STATUS_SUCCESS", c.prefers, c.matrix
			e.smb1(c.a)
			e.hungUp(&offerSMB1, &c.a)
			require.Equal(t, c.expected, e.SMB1.Supported)
		})
	}
}

// A reply whose contexts can't be read doesn't say that there is no cipher.
func TestEncryptionBehindBrokenContexts(t *testing.T) {
	e := new(Evidence)
	broken := answer{reply: &negotiateReply{dialect: dialect311, broken: true}, err: probe.Errorf(opNegotiate, probe.OutcomeMalformed, "broken")}
	e.preferred(broken)
	require.Equal(t, probe.Unknown, e.Encryption)
	for _, d := range dialects[:4] {
		e.alone(d, answer{reply: &negotiateReply{dialect: d}})
	}
	e.alone(dialect311, broken)
	e.conclude()
	require.Equal(t, probe.Unknown, e.Encryption)
	require.Equal(t, probe.Unknown, e.Matrix[4].Encryption)
	whole := answer{reply: &negotiateReply{dialect: dialect311}}
	e.Matrix = e.Matrix[:4]
	e.preferred(whole)
	e.alone(dialect311, whole)
	e.conclude()
	require.Equal(t, probe.No, e.Encryption)
}
