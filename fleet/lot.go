package fleet

import (
	"bytes"
	"strconv"

	"github.com/klauspost/compress/zstd"
	"github.com/nats-io/nats.go"
)

// Headers of a message with results. Its body is lines of JSON, compressed as headerEncoding says: by Zstandard (RFC 8878), or not at
// all without the header. Comparisons have to do with as many of the first lines as headerCompare says, with all without it.
// Each of these has a [tracing].
const (
	headerEncoding = "Content-Encoding"
	encoding       = "zstd"
	headerCompare  = "Handclasp-Compare"
	headerWorker   = "Handclasp-Worker" // who sent it, as it says of itself
)

// A lot is results that are committed together, each a line of JSON.
type lot struct {
	compared [][]byte // results that share with others' what comparisons look at, or may
	others   [][]byte
	bytes    int
}

func (l *lot) add(line []byte, compared bool) {
	if compared {
		l.compared = append(l.compared, line)
	} else {
		l.others = append(l.others, line)
	}
	l.bytes += len(line)
}

func (l *lot) len() int { return len(l.compared) + len(l.others) }

// A packer makes messages of results.
type packer struct{ z *zstd.Encoder }

func newPacker() packer {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err) // of options that can't go together
	}
	return packer{z}
}

// pack makes as few messages of a lot as can be, with most bytes each at most. No line has more.
func (p packer) pack(l lot, most int) (all []*nats.Msg) {
	body := make([]byte, 0, min(l.bytes+l.len(), most))
	compared := 0
	end := func() {
		if len(body) == 0 {
			return
		}
		m := &nats.Msg{Header: nats.Header{}, Data: p.z.EncodeAll(body, nil)}
		m.Header.Set(headerEncoding, encoding)
		m.Header.Set(headerCompare, strconv.Itoa(compared))
		all, body, compared = append(all, m), body[:0], 0
	}
	for i, lines := range [][][]byte{l.compared, l.others} {
		for _, line := range lines {
			if len(body)+len(line) >= most {
				end()
			}
			body = append(append(body, line...), '\n')
			if i == 0 {
				compared++
			}
		}
	}
	end()
	return all
}

// An unpacker reads what a packer made.
type unpacker struct{ z *zstd.Decoder }

// maxLot bounds what a message may hold: whoever made it may lie.
const maxLot = commitBytes + 2*maxPayload

func newUnpacker() (unpacker, error) {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxLot))
	return unpacker{z}, err
}

// unpack calls f for each line of a message.
func (u unpacker) unpack(h nats.Header, body []byte, f func(line []byte, compare bool) error) (err error) {
	switch name := h.Get(headerEncoding); name {
	case "":
	case encoding:
		if body, err = u.z.DecodeAll(body, nil); err != nil {
			return notAResult("it can't be unpacked: %w", err)
		}
	default:
		return notAResult("it is encoded by %q", name)
	}
	compared, err := strconv.Atoi(h.Get(headerCompare))
	if err != nil {
		compared = bytes.Count(body, []byte("\n")) + 1
	}
	if len(body) == 0 {
		return notAResult("it holds nothing")
	}
	for line := range bytes.Lines(body) {
		if err := f(bytes.TrimSuffix(line, []byte("\n")), compared > 0); err != nil {
			return err
		}
		compared--
	}
	return nil
}
