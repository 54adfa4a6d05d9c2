package fakesmb

import (
	"bytes"
	"encoding/asn1"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
)

// Statuses (MS-ERREF §2.3.1).
const (
	moreProcessing = 0xc0000016
	accessDenied   = 0xc0000022
)

// login returns the status of a session setup, and the token with a challenge, wrapped if the request's is.
func (s Server) login(m []byte) (status uint32, token []byte) {
	at := bytes.Index(m, []byte("NTLMSSP\x00"))
	switch {
	case s.Setup != 0:
		return s.Setup, nil
	case at < 0 || len(m) < at+12 || m[at+8] != 1:
		return accessDenied, nil
	}
	token = s.challenge()
	if bytes.Contains(m[:at], []byte{0x2b, 6, 1, 5, 5, 2}) {
		token = wrap(token)
	}
	return moreProcessing, token
}

// Mechanisms returns the token of a server that offers mechanisms, by their object identifiers (RFC 4178 §4.2.1).
func Mechanisms(list ...asn1.ObjectIdentifier) []byte {
	type init struct {
		MechTypes []asn1.ObjectIdentifier `asn1:"explicit,tag:0"`
	}
	return must(asn1.MarshalWithParams(struct {
		Mech asn1.ObjectIdentifier
		Init init `asn1:"explicit,tag:0"`
	}{asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 2}, init{list}}, "application,tag:0"))
}

// Mechanisms that Windows offers.
var (
	NTLM   = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 2, 10}
	KRB5   = asn1.ObjectIdentifier{1, 2, 840, 113554, 1, 2, 2}
	MSKRB5 = asn1.ObjectIdentifier{1, 2, 840, 48018, 1, 2, 2}
	NegoEx = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 2, 30}
)

func wrap(ntlm []byte) []byte {
	return must(asn1.MarshalWithParams(struct {
		State asn1.Enumerated       `asn1:"explicit,tag:0"`
		Mech  asn1.ObjectIdentifier `asn1:"explicit,tag:1"`
		Token []byte                `asn1:"explicit,tag:2"`
	}{1, NTLM, ntlm}, "explicit,tag:1"))
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// challenge returns an NTLM challenge (MS-NLMP §2.2.1.2), always the same.
func (s Server) challenge() []byte {
	target := utf16le(s.Name)
	var info []byte
	for _, p := range []struct {
		id    uint16
		value []byte
	}{
		{2, utf16le(s.Domain)}, {1, utf16le(s.Name)}, {4, utf16le(s.DNSDomain)}, {3, utf16le(s.DNSName)}, {7, timestamp(s.Time)}, {0, nil},
	} {
		if p.id != 0 && len(p.value) == 0 {
			continue
		}
		info = le.AppendUint16(info, p.id)
		info = append(le.AppendUint16(info, uint16(len(p.value))), p.value...)
	}
	b := []byte("NTLMSSP\x00\x02\x00\x00\x00")
	b = field(b, len(target), 56)
	b = le.AppendUint32(b, 0xe28a8205)
	b = append(b, "laughter"...)
	b = append(b, make([]byte, 8)...)
	b = field(b, len(info), 56+len(target))
	v := s.Version
	if v == [3]uint16{} {
		v = [3]uint16{10, 0, 17763}
	}
	b = append(b, byte(v[0]), byte(v[1]), byte(v[2]), byte(v[2]>>8), 0, 0, 0, 15)
	return append(append(b, target...), info...)
}

func field(b []byte, length, offset int) []byte {
	b = le.AppendUint16(b, uint16(length))
	b = le.AppendUint16(b, uint16(length))
	return le.AppendUint32(b, uint32(offset))
}

func utf16le(s string) (b []byte) {
	for _, u := range utf16.Encode([]rune(s)) {
		b = le.AppendUint16(b, u)
	}
	return b
}

// fileTime is in intervals of 100 ns since 1601 (MS-DTYP §2.3.3).
func fileTime(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.Unix()+11644473600)*1e7 + uint64(t.Nanosecond()/100)
}

func timestamp(t time.Time) []byte {
	if t.IsZero() {
		return nil
	}
	return le.AppendUint64(nil, fileTime(t))
}

// header1 answers a request of SMB1.
func header1(request []byte, status uint32) []byte {
	h := slices.Clone(request[:32])
	le.PutUint32(h[5:], status)
	h[9] |= 0x80
	return h
}

// negotiate1 answers an offer of SMB1 (MS-CIFS §2.2.4.52.2, MS-SMB §2.2.4.5.2).
func (s Server) negotiate1(m []byte) []byte {
	if s.SMB1 == nil && !s.Refuses {
		return nil
	}
	index, rank := 0xffff, -1
	for i, d := range strings.Split(strings.TrimSuffix(string(m[35:]), "\x00"), "\x00") {
		if r := slices.Index(s.SMB1, strings.TrimPrefix(d, "\x02")); r > rank {
			index, rank = i, r
		}
	}
	reply := header1(m, 0)
	if rank < 0 || s.SMB1[rank] == "PC NETWORK PROGRAM 1.0" {
		return append(le.AppendUint16(append(reply, 1), uint16(index)), 0, 0)
	}
	if s.SMB1[rank] != "NT LM 0.12" {
		words := make([]byte, 26)
		le.PutUint16(words, uint16(index))
		words[2] = s.Security & 3
		return append(append(append(reply, 13), words...), 0, 0)
	}
	words := make([]byte, 34)
	le.PutUint16(words, uint16(index))
	words[2] = s.Security
	caps := uint32(0x0000005c)
	data := append([]byte("laughter"), utf16le(s.Domain+"\x00"+s.Name+"\x00")...)
	words[33] = 8
	if le.Uint16(m[10:])&0x0800 != 0 && !s.Old {
		caps |= 0x80000000
		data = append([]byte("handclasp's lab!"), s.Token...)
		words[33] = 0
	}
	le.PutUint32(words[19:], caps)
	le.PutUint64(words[23:], fileTime(s.Time))
	reply = append(append(reply, 17), words...)
	return append(le.AppendUint16(reply, uint16(len(data))), data...)
}

// setup1 answers a session setup of SMB1 (MS-SMB §2.2.4.6.2).
func (s Server) setup1(m []byte) []byte {
	if s.Visit != nil && anonymous1(m) {
		return s.Visit.Answer1(m)
	}
	status, token := s.login(m)
	reply := header1(m, status)
	le.PutUint16(reply[28:], 100) // the user
	if status != moreProcessing {
		return append(reply, 0, 0, 0)
	}
	reply = append(reply, 4, 0xff, 0, 0, 0, 0, 0)
	reply = le.AppendUint16(reply, uint16(len(token)))
	data := slices.Clone(token)
	if (len(reply)+2+len(data))%2 != 0 {
		data = append(data, 0)
	}
	data = append(data, utf16le(s.NativeOS+"\x00"+s.NativeLM+"\x00")...)
	return append(le.AppendUint16(reply, uint16(len(data))), data...)
}
