package tlshello

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// ErrMalformed says that what came is no answer to a ClientHello.
var ErrMalformed = errors.New("malformed answer to a ClientHello")

// Bounds on what is read of one answer.
const (
	// maxRecord is the length of a plaintext record (RFC 8446 §5.1).
	maxRecord = 1 << 14
	// maxFlight bounds all messages of one answer together: chains of 64 KiB and more are refused by OpenSSL
	// (SSL_CTX_set_max_cert_list: 100 KiB) and crypto/tls as well.
	maxFlight = 128 << 10
	// maxMessages bounds their number: the longest flight has ServerHello, SupplementalData, Certificate,
	// CertificateStatus, ServerKeyExchange, CertificateRequest, ServerHelloDone (RFC 5246 §7.3, RFC 4680 §2).
	maxMessages = 16
	// maxRecords bounds the number of records: with the smallest fragments that are in use (RFC 8449 §4: 64 bytes) a
	// chain of 16 KiB has 256.
	maxRecords = 512
	// maxWarnings is how many alerts may come that don't end the conversation (OpenSSL: 5).
	maxWarnings = 5
)

// The levels and some descriptions of alerts (RFC 8446 §6).
const (
	levelWarning = 1
	levelFatal   = 2

	alertCloseNotify           = 0
	alertUnexpectedMessage     = 10
	alertHandshakeFailure      = 40
	alertIllegalParameter      = 47
	alertDecodeError           = 50
	alertProtocolVersion       = 70
	alertInternalError         = 80
	alertInappropriateFallback = 86 // RFC 7507 §2
	alertUserCanceled          = 90
)

// An Alert is what ends a conversation, or warns (RFC 8446 §6).
type Alert struct{ Level, Description byte }

// A message is a handshake message, or an alert that ends the flight.
type message struct {
	kind  byte
	body  []byte
	alert *Alert
}

// flight takes handshake messages out of records: a message may span several records, and a record may hold several
// messages (RFC 8446 §5.1).
type flight struct {
	r        io.Reader
	pending  []byte // of messages that aren't whole yet
	size     int
	records  int
	messages int
	warnings int
}

func newReader(b []byte) io.Reader { return bytes.NewReader(b) }

// next returns the next message. It returns errors of the reader as they are.
func (f *flight) next() (message, error) {
	for {
		if m, ok, err := f.whole(); ok || err != nil {
			return m, err
		}
		kind, fragment, err := f.record()
		if err != nil {
			return message{}, err
		}
		switch kind {
		case recordHandshake:
			f.pending = append(f.pending, fragment...)
		case recordAlert:
			if len(fragment) != 2 || len(f.pending) > 0 {
				return message{}, fmt.Errorf("%w: alert of %d bytes", ErrMalformed, len(fragment))
			}
			alert := &Alert{fragment[0], fragment[1]}
			if alert.Level != levelWarning || alert.Description == alertCloseNotify || alert.Description == alertUserCanceled {
				return message{alert: alert}, nil
			}
			if f.warnings++; f.warnings > maxWarnings {
				return message{}, fmt.Errorf("%w: more than %d warnings", ErrMalformed, maxWarnings)
			}
		}
	}
}

// whole takes a message off what is pending.
func (f *flight) whole() (m message, ok bool, err error) {
	if len(f.pending) < 4 {
		return m, false, nil
	}
	size := int(f.pending[1])<<16 | int(f.pending[2])<<8 | int(f.pending[3])
	if size > maxFlight {
		return m, false, fmt.Errorf("%w: message of %d bytes", ErrMalformed, size)
	}
	if len(f.pending) < 4+size {
		return m, false, nil
	}
	if f.messages++; f.messages > maxMessages {
		return m, false, fmt.Errorf("%w: more than %d messages", ErrMalformed, maxMessages)
	}
	m = message{kind: f.pending[0], body: f.pending[4 : 4+size : 4+size]}
	f.pending = f.pending[4+size:]
	return m, true, nil
}

func (f *flight) record() (kind byte, fragment []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(f.r, head[:]); err != nil {
		return 0, nil, err
	}
	kind, size := head[0], int(head[3])<<8|int(head[4])
	f.records++
	f.size += size
	switch {
	case kind != recordHandshake && kind != recordAlert || head[1] != 3:
		return 0, nil, fmt.Errorf("%w: record header % x", ErrMalformed, head)
	case size == 0 || size > maxRecord:
		return 0, nil, fmt.Errorf("%w: record of %d bytes", ErrMalformed, size)
	case f.size > maxFlight || f.records > maxRecords:
		return 0, nil, fmt.Errorf("%w: more than %d bytes or %d records", ErrMalformed, maxFlight, maxRecords)
	}
	fragment = make([]byte, size)
	_, err = io.ReadFull(f.r, fragment)
	return kind, fragment, err
}
