package tlshello

// A Version is a version of the protocol, as it goes over the wire.
type Version uint16

// The versions there are. SSL2 is what its hellos say (draft-hickman-netscape-ssl-00 §C.5).
const (
	SSL2  Version = 0x0002
	SSL3  Version = 0x0300
	TLS10 Version = 0x0301
	TLS11 Version = 0x0302
	TLS12 Version = 0x0303
	TLS13 Version = 0x0304
)

// versions are those of SSL 3.0 and TLS, oldest first.
var versions = []Version{SSL3, TLS10, TLS11, TLS12, TLS13}

// String returns the version as evidence has it: "SSLv2", "SSLv3", "1.0" to "1.3", else empty.
func (v Version) String() string {
	switch v {
	case SSL2:
		return "SSLv2"
	case SSL3:
		return "SSLv3"
	case TLS10:
		return "1.0"
	case TLS11:
		return "1.1"
	case TLS12:
		return "1.2"
	case TLS13:
		return "1.3"
	}
	return ""
}
