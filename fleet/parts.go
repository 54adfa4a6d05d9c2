package fleet

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/handclasp/handclasp/scan"
)

// Parts are a file of a scan's inputs in which each shard finds its own, without a look at the others': inputs that can be used, in
// their order, and among them, in pieces, which of them a shard is to read. All numbers are binary ones of [binary.PutUvarint],
// but for those of a fixed size, which are big-endian.
//
//	input   the length of what follows, and each with its length: the text, place, name and tag
//	piece   8 bytes: where the shard's piece before this begins, 0 if there is none; 2 bytes: the length of what follows; where
//	        inputs begin, each as the distance from the one before
//	end     8 bytes for each shard: where its last piece begins, 0 if it has none
//
// So they are written in one go, with a piece for each shard in memory.
const (
	pieceHead  = 8 + 2
	pieceBytes = 1 << 10
	endBytes   = 8 // for each shard
	inputBytes = 1 << 20
)

// A partsWriter makes parts.
type partsWriter struct {
	w      *bufio.Writer
	at     int64
	shards []partWriter
	text   []byte
}

type partWriter struct {
	piece []byte // which isn't written yet
	last  int64  // where the last input begins
	prior int64  // where the piece before this begins
}

func newPartsWriter(w io.Writer, shards int) *partsWriter {
	return &partsWriter{w: bufio.NewWriter(w), shards: make([]partWriter, shards)}
}

func (p *partsWriter) write(b []byte) error {
	n, err := p.w.Write(b)
	p.at += int64(n)
	return err
}

// add writes an input that some shards are to read.
func (p *partsWriter) add(in scan.Input, shards []int) error {
	p.text = p.text[:0]
	for _, field := range []string{in.Text, in.Place, in.Name, in.Tag} {
		p.text = append(binary.AppendUvarint(p.text, uint64(len(field))), field...)
	}
	if len(p.text) > inputBytes {
		return fmt.Errorf("%s: a target of %d bytes", in.Place, len(p.text))
	}
	begin := p.at
	var size [binary.MaxVarintLen64]byte
	if err := errors.Join(p.write(size[:binary.PutUvarint(size[:], uint64(len(p.text)))]), p.write(p.text)); err != nil {
		return err
	}
	for _, shard := range shards {
		s := &p.shards[shard-1]
		s.piece = binary.AppendUvarint(s.piece, uint64(begin-s.last))
		s.last = begin
		if len(s.piece) > pieceBytes {
			if err := p.end(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// end writes a piece.
func (p *partsWriter) end(s *partWriter) error {
	begin := p.at
	head := binary.BigEndian.AppendUint64(nil, uint64(s.prior))
	head = binary.BigEndian.AppendUint16(head, uint16(len(s.piece)))
	err := errors.Join(p.write(head), p.write(s.piece))
	s.piece, s.prior = s.piece[:0], begin
	return err
}

func (p *partsWriter) close() error {
	for i := range p.shards {
		if s := &p.shards[i]; len(s.piece) > 0 {
			if err := p.end(s); err != nil {
				return err
			}
		}
	}
	for _, s := range p.shards {
		if err := p.write(binary.BigEndian.AppendUint64(nil, uint64(s.prior))); err != nil {
			return err
		}
	}
	return p.w.Flush()
}

// A partsReader reads parts; several shards may at once.
type partsReader struct {
	f      *os.File
	size   int64
	shards int
}

// part returns a shard's inputs. An error ends them.
func (p partsReader) part(shard int) iter.Seq2[scan.Input, error] {
	return func(yield func(scan.Input, error) bool) {
		pieces, err := p.pieces(shard)
		if err != nil {
			yield(scan.Input{}, fmt.Errorf("the shard's targets can't be read: %w", err))
			return
		}
		from := cursor{r: io.NewSectionReader(p.f, 0, p.size)}
		from.b = bufio.NewReader(from.r)
		at := int64(0)
		for _, begin := range slices.Backward(pieces) {
			piece, err := p.piece(begin)
			for err == nil && len(piece) > 0 {
				step, n := binary.Uvarint(piece)
				if n <= 0 {
					err = errParts
					break
				}
				piece, at = piece[n:], at+int64(step)
				var in scan.Input
				if in, err = from.input(at); err == nil && !yield(in, nil) {
					return
				}
			}
			if err != nil {
				yield(scan.Input{}, fmt.Errorf("the shard's targets can't be read: %w", err))
				return
			}
		}
	}
}

var errParts = errors.New("the file of all shards' targets is damaged")

// pieces are where a shard's begin, the last first.
func (p partsReader) pieces(shard int) (all []int64, err error) {
	var number [8]byte
	for at := p.size - endBytes*int64(p.shards-shard+1); ; {
		if _, err := p.f.ReadAt(number[:], at); err != nil {
			return nil, err
		}
		before := int64(binary.BigEndian.Uint64(number[:]))
		if before == 0 {
			return all, nil
		}
		if before < 0 || before >= at {
			return nil, errParts
		}
		at, all = before, append(all, before)
	}
}

func (p partsReader) piece(begin int64) ([]byte, error) {
	var head [pieceHead]byte
	if _, err := p.f.ReadAt(head[:], begin); err != nil {
		return nil, err
	}
	piece := make([]byte, binary.BigEndian.Uint16(head[8:]))
	_, err := p.f.ReadAt(piece, begin+pieceHead)
	return piece, err
}

// A cursor reads inputs that are in a file one behind the other, or further on.
type cursor struct {
	r    *io.SectionReader
	b    *bufio.Reader
	at   int64
	text []byte
}

func (c *cursor) input(at int64) (in scan.Input, err error) {
	if gap := at - c.at; gap >= 0 && gap <= int64(c.b.Buffered()) {
		_, _ = c.b.Discard(int(gap)) // of what is there
	} else {
		if _, err := c.r.Seek(at, io.SeekStart); err != nil {
			return in, err
		}
		c.b.Reset(c.r)
	}
	size, err := binary.ReadUvarint(c.b)
	if err != nil {
		return in, err
	}
	if size > inputBytes {
		return in, errParts
	}
	c.text = slices.Grow(c.text[:0], int(size))[:size]
	if _, err := io.ReadFull(c.b, c.text); err != nil {
		return in, err
	}
	c.at = at + int64(len(binary.AppendUvarint(nil, size))) + int64(size)
	rest := c.text
	for _, field := range []*string{&in.Text, &in.Place, &in.Name, &in.Tag} {
		n, k := binary.Uvarint(rest)
		if k <= 0 || n > uint64(len(rest)-k) {
			return in, errParts
		}
		*field, rest = string(rest[k:k+int(n)]), rest[k+int(n):]
	}
	return in, nil
}

// storeParts makes the parts of a scan, and returns by which digest they are found.
func (j *job) storeParts(ctx context.Context, js jetstream.JetStream) (string, error) {
	f, err := temporary()
	if err != nil {
		return "", err
	}
	defer f.Close()
	w := newPartsWriter(f, j.scan.Shards)
	order := j.scan.order(scan.Shard{Index: 1, Count: j.scan.Shards}, nil, nil)
	if err := scan.Deal(j.lines(ctx), j.probers, order, w.add); err != nil {
		return "", refusal{fmt.Errorf("the targets can't be read to their end: %w", err)}
	}
	if err := w.close(); err != nil {
		return "", err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil || ctx.Err() != nil {
		return "", errors.Join(err, ctx.Err())
	}
	return store(ctx, js, j.scan.ID, f)
}

// loadParts fetches what storeParts stored.
func (s *Scan) loadParts(ctx context.Context, js jetstream.JetStream) (*partsReader, error) {
	f, err := load(ctx, js, s.ID, s.Parts)
	if err != nil {
		return nil, err
	}
	size, err := f.Seek(0, io.SeekEnd)
	return &partsReader{f, size, s.Shards}, err
}
