package tlshello

import (
	"golang.org/x/crypto/cryptobyte"
)

// The types of records and handshake messages that are used (RFC 8446 §5.1, §4; RFC 5246 §7.4).
const (
	recordAlert     = 21
	recordHandshake = 22

	typeClientHello        = 1
	typeServerHello        = 2
	typeCertificate        = 11
	typeServerKeyExchange  = 12
	typeCertificateRequest = 13
	typeServerHelloDone    = 14
)

// The extensions that are sent or read (RFC 8446 §4.2; RFC 6066, RFC 8422, RFC 7685, RFC 7627, RFC 5746).
const (
	extServerName           = 0
	extSupportedGroups      = 10
	extPointFormats         = 11
	extSignatureAlgorithms  = 13
	extPadding              = 21
	extExtendedMasterSecret = 23
	extSupportedVersions    = 43
	extKeyShare             = 51
	extRenegotiationInfo    = 0xff01
)

// signatureAlgorithms are all that a certificate may be signed with (RFC 8446 §4.2.3, RFC 5246 §7.4.1.4.1): with a short
// list, a server that has nothing else would refuse what it accepts from others.
var signatureAlgorithms = []uint16{
	0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x081a, 0x081b, 0x081c, 0x0809, 0x080a, 0x080b, 0x0804, 0x0805, 0x0806,
	0x0401, 0x0501, 0x0601, 0x0402, 0x0502, 0x0602, 0x0303, 0x0301, 0x0302, 0x0203, 0x0201, 0x0202, 0x0101, 0x0708,
}

// A ClientHello is what is said of it that matters. It is composed by [ClientHello.Append].
type ClientHello struct {
	// Version is the highest version offered, and the only one from TLS 1.3 on.
	Version Version
	// Random and SessionID are 32 bytes; the latter, which TLS 1.3 sends for the sake of middleboxes (RFC 8446 §D.4), is
	// left out by versions before.
	Random, SessionID [32]byte
	Suites            []uint16
	Groups            []Group // none leaves out what says them, and the form of points
	// Deflate offers compression (RFC 3749), which TLS 1.3 has none of.
	Deflate bool
	// ServerName is the name asked for (RFC 6066 §3); empty for none.
	ServerName string
}

// Hellos of 256 to 511 bytes are padded to 512, since some middleboxes and servers take them for SSL 2.0 and hang
// (RFC 7685 §1).
const padFrom, padTo = 256, 512

// Append appends the hello as one record (RFC 8446 §5.1). It is an error if the lists are too long for it.
func (h *ClientHello) Append(b []byte) ([]byte, error) {
	message, err := h.message(0)
	if size := len(message); err == nil && size >= padFrom && size < padTo && h.Version != SSL3 {
		message, err = h.message(max(1, padTo-size-4)) // the extension's type and length take four
	}
	if err != nil {
		return b, err
	}
	record := cryptobyte.NewBuilder(b)
	record.AddUint8(recordHandshake)
	record.AddUint16(uint16(min(h.Version, TLS10))) // for the sake of old servers (RFC 8446 §5.1)
	record.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(message) })
	return record.Bytes()
}

func (h *ClientHello) message(padding int) ([]byte, error) {
	b := cryptobyte.NewBuilder(nil)
	b.AddUint8(typeClientHello)
	b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
		b.AddUint16(uint16(min(h.Version, TLS12)))
		b.AddBytes(h.Random[:])
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) {
			if h.Version == TLS13 {
				b.AddBytes(h.SessionID[:])
			}
		})
		addList(b, h.Suites)
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) {
			if h.Deflate {
				b.AddUint8(1)
			}
			b.AddUint8(0)
		})
		if h.Version != SSL3 {
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { h.extensions(b, padding) })
		}
	})
	return b.Bytes()
}

func (h *ClientHello) extensions(b *cryptobyte.Builder, padding int) {
	if h.ServerName != "" {
		extension(b, extServerName, func(b *cryptobyte.Builder) {
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
				b.AddUint8(0) // host_name
				b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(h.ServerName)) })
			})
		})
	}
	if len(h.Groups) > 0 {
		extension(b, extSupportedGroups, func(b *cryptobyte.Builder) { addList(b, h.Groups) })
	}
	if h.Version >= TLS12 {
		extension(b, extSignatureAlgorithms, func(b *cryptobyte.Builder) { addList(b, signatureAlgorithms) })
	}
	if h.Version == TLS13 {
		extension(b, extSupportedVersions, func(b *cryptobyte.Builder) {
			b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddUint16(uint16(TLS13)) })
		})
		extension(b, extKeyShare, func(b *cryptobyte.Builder) { b.AddUint16(0) }) // no share
	} else {
		if len(h.Groups) > 0 {
			extension(b, extPointFormats, func(b *cryptobyte.Builder) { b.AddBytes([]byte{1, 0}) }) // uncompressed
		}
		extension(b, extExtendedMasterSecret, func(*cryptobyte.Builder) {})
		extension(b, extRenegotiationInfo, func(b *cryptobyte.Builder) { b.AddUint8(0) })
	}
	if padding > 0 {
		extension(b, extPadding, func(b *cryptobyte.Builder) { b.AddBytes(make([]byte, padding)) })
	}
}

func extension(b *cryptobyte.Builder, kind uint16, body cryptobyte.BuilderContinuation) {
	b.AddUint16(kind)
	b.AddUint16LengthPrefixed(body)
}

func addList[T ~uint16](b *cryptobyte.Builder, list []T) {
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, v := range list {
			b.AddUint16(uint16(v))
		}
	})
}
