package ssh

import (
	"bytes"
	"crypto/md5" // as the fingerprint's definition has it
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/handclasp/handclasp/probe"
)

// Message numbers (RFC 4250 §4.1.2).
const (
	msgDisconnect = 1
	msgIgnore     = 2
	msgDebug      = 4
	msgKexInit    = 20
	msgNewKeys    = 21
	msgKexReply   = 31 // of Diffie-Hellman and ECDH
	msgGexGroup   = 31 // in a group exchange (RFC 4419 §5), as are the following
	msgGexReply   = 33
	msgGexRequest = 34
)

const (
	// maxIdentification is the length of an identification line without its ending (RFC 4253 §4.2: 255 with it).
	maxIdentification = 253
	// maxPacket is the longest packet that every implementation must read (RFC 4253 §6.1). What comes in the clear is never
	// longer, the longest lists included.
	maxPacket = 35000
	// minPacket is the padding's length, one byte of payload and four of padding (RFC 4253 §6).
	minPacket = 1 + 1 + 4
)

// An identification is the line that both sides begin with (RFC 4253 §4.2).
type identification struct {
	version, software, comment string
}

// parseIdentification splits a line that begins with "SSH-". Software is allowed to hold hyphens, as many do though the
// RFC forbids it.
func parseIdentification(line string) (id identification, ok bool) {
	rest, ok := strings.CutPrefix(line, "SSH-")
	if !ok {
		return id, false
	}
	id.version, rest, ok = strings.Cut(rest, "-")
	id.software, id.comment, _ = strings.Cut(rest, " ")
	return id, ok && id.version != ""
}

// speaks2 reports whether a server that names this version speaks protocol 2 (RFC 4253 §5.1).
func speaks2(version string) bool { return version == "1.99" || strings.HasPrefix(version, "2.") }

// errIncomplete says that a packet isn't there as a whole.
var errIncomplete = errors.New("incomplete packet")

// cutPacket takes a packet without encryption (RFC 4253 §6) off b.
func cutPacket(b []byte) (payload, rest []byte, err error) {
	if len(b) < 5 {
		return nil, b, errIncomplete
	}
	length, padding := int64(binary.BigEndian.Uint32(b)), int64(b[4])
	switch {
	case length > maxPacket-4:
		return nil, b, fmt.Errorf("a packet of %d bytes", length+4)
	case length < minPacket || padding+1 >= length:
		return nil, b, fmt.Errorf("a packet of %d bytes with %d of padding", length, padding)
	case int64(len(b)) < 4+length:
		return nil, b, errIncomplete
	}
	return b[5 : 4+length-padding], b[4+length:], nil
}

// readPacket reads a packet without encryption and returns its payload, which isn't empty.
func readPacket(c *probe.Conn) ([]byte, error) {
	var head [4]byte
	if _, err := c.ReadFull(head[:]); err != nil {
		return nil, err
	}
	whole := append(head[:], make([]byte, min(binary.BigEndian.Uint32(head[:]), maxPacket))...)
	if _, err := c.ReadFull(whole[len(head):]); err != nil {
		return nil, err
	}
	payload, _, err := cutPacket(whole)
	if err != nil {
		return nil, &probe.Error{Op: opExchange, Outcome: probe.OutcomeMalformed, Err: err}
	}
	return payload, nil
}

// packet makes a packet without encryption (RFC 4253 §6) of a payload.
func packet(payload []byte) []byte {
	const block, leastPadding = 8, 4
	padding := block - (5+len(payload))%block
	if padding < leastPadding {
		padding += block
	}
	b := binary.BigEndian.AppendUint32(nil, uint32(1+len(payload)+padding))
	b = append(append(b, byte(padding)), payload...)
	return append(b, make([]byte, padding)...)
}

// kexInit is the message that lists the algorithms (RFC 4253 §7.1).
type kexInit struct {
	Cookie                    [16]byte `sshtype:"20"`
	Kex                       []string
	HostKey                   []string
	CiphersClientToServer     []string
	CiphersServerToClient     []string
	MACsClientToServer        []string
	MACsServerToClient        []string
	CompressionClientToServer []string
	CompressionServerToClient []string
	LanguagesClientToServer   []string
	LanguagesServerToClient   []string
	FirstKexFollows           bool
	Reserved                  uint32
}

// cleartext is what a server says in packets without encryption, of which no more is kept than what is asked for.
type cleartext struct {
	lists   *kexInit // which come first, behind messages that may be ignored; nil if they didn't, or aren't there yet
	replies []byte   // packets that may show a host key
	over    bool     // the last was received
	large   bool     // they lead to a large group
	begun   bool     // one that may not be ignored was received
	partial []byte   // the beginning of a packet
}

// follow takes the packets that more bytes complete.
func (c *cleartext) follow(more []byte) error {
	if len(c.partial) > 0 {
		c.partial = append(c.partial, more...)
		more = c.partial
	}
	for !c.over {
		payload, rest, err := cutPacket(more)
		if err == errIncomplete {
			if len(more) != len(c.partial) { // else it is that
				c.partial = append(c.partial[:0], more...)
			}
			return nil
		}
		if err != nil {
			return err
		}
		switch payload[0] {
		case msgIgnore, msgDebug:
			more = rest
			continue
		case msgKexInit:
			if !c.begun {
				c.lists, c.large = parseKexInit(payload), largeGroups(payload)
			}
		case msgKexReply, msgGexReply:
			c.replies = append(c.replies, more[:len(more)-len(rest)]...)
		case msgNewKeys:
			c.over = true
		}
		c.begun, more = true, rest
	}
	return nil
}

// parseKexInit takes the lists apart; nil for what isn't a whole KEXINIT. The names of a list share memory, which spares a hundred
// allocations beside ssh.Unmarshal, and so do lists that are the same in both directions, as they mostly are.
func parseKexInit(payload []byte) *kexInit {
	k := new(kexInit)
	if len(payload) < 1+len(k.Cookie) {
		return nil
	}
	rest := payload[1+copy(k.Cookie[:], payload[1:]):]
	var last []byte
	var split []string
	for _, list := range []*[]string{
		&k.Kex, &k.HostKey, &k.CiphersClientToServer, &k.CiphersServerToClient, &k.MACsClientToServer, &k.MACsServerToClient,
		&k.CompressionClientToServer, &k.CompressionServerToClient, &k.LanguagesClientToServer, &k.LanguagesServerToClient,
	} {
		names, after, ok := cutString(rest)
		if !ok {
			return nil
		}
		switch {
		case len(names) == 0:
			split = []string{}
		case !bytes.Equal(names, last):
			split = strings.Split(string(names), ",")
		}
		*list, last, rest = split, names, after
	}
	if len(rest) != 5 {
		return nil
	}
	k.FirstKexFollows, k.Reserved = rest[0] != 0, binary.BigEndian.Uint32(rest[1:])
	return k
}

// algorithms returns the lists as evidence has them.
func (k *kexInit) algorithms() *Algorithms {
	return &Algorithms{
		Kex: clean(k.Kex), HostKey: clean(k.HostKey),
		CiphersClientToServer: clean(k.CiphersClientToServer), CiphersServerToClient: clean(k.CiphersServerToClient),
		MACsClientToServer: clean(k.MACsClientToServer), MACsServerToClient: clean(k.MACsServerToClient),
		Compression: clean(k.CompressionServerToClient), CompressionClientToServer: clean(k.CompressionClientToServer),
		LanguagesClientToServer: clean(k.LanguagesClientToServer), LanguagesServerToClient: clean(k.LanguagesServerToClient),
		FirstKexFollows: k.FirstKexFollows,
	}
}

// clean returns names as evidence has them, the same list if it can.
func clean(names []string) []string {
	if names != nil && !slices.ContainsFunc(names, func(name string) bool { return !utf8.ValidString(name) }) {
		return names
	}
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = text(name)
	}
	return list
}

func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// hassh returns the fingerprint of the server's lists.
func (k *kexInit) hassh() string {
	all := make([]byte, 0, 1<<10) // on the stack: few servers list more
	for i, list := range [][]string{k.Kex, k.CiphersServerToClient, k.MACsServerToClient, k.CompressionServerToClient} {
		if i > 0 {
			all = append(all, ';')
		}
		for j, name := range list {
			if j > 0 {
				all = append(all, ',')
			}
			all = append(all, name...)
		}
	}
	sum := md5.Sum(all)
	return hex.EncodeToString(sum[:])
}

// strictMarkers are the names by which a server says that it knows strict key exchange: OpenSSH's own, and the one that
// is on its way to an RFC (draft-miller-sshm-strict-kex).
var strictMarkers = []string{"kex-strict-s-v00@openssh.com", "kex-strict-s"}

func (k *kexInit) strict() probe.Fact {
	return probe.FactOf(slices.ContainsFunc(strictMarkers, func(m string) bool { return slices.Contains(k.Kex, m) }))
}

// shownHostKey returns the blob of the key in the reply to a key exchange (RFC 4253 §8, RFC 4419 §3, RFC 5656 §4): the first
// string of it. It returns nil if no reply with a key came.
func shownHostKey(stream []byte) []byte {
	for {
		payload, rest, err := cutPacket(stream)
		if err != nil {
			return nil
		}
		stream = rest
		if payload[0] != msgKexReply && payload[0] != msgGexReply {
			continue
		}
		blob, _, ok := cutString(payload[1:])
		if !ok {
			return nil
		}
		if _, ok := describeKey(blob); ok {
			return blob
		}
	}
}

// cutString takes a string (RFC 4251 §5) off b.
func cutString(b []byte) (s, rest []byte, ok bool) {
	if len(b) < 4 || int64(len(b)-4) < int64(binary.BigEndian.Uint32(b)) {
		return nil, nil, false
	}
	end := 4 + int(binary.BigEndian.Uint32(b))
	return b[4:end], b[end:], true
}
