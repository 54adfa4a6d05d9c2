package smb

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/handclasp/handclasp/probe"
)

// The list of shares as LAN Manager's clients ask for it, by the Remote Administration Protocol (MS-RAP): servers that speak
// SMB1 and have no server service answer that alone.

const (
	rapShareEnum = 0        // the number of NetShareEnum (MS-RAP §2.5.1)
	rapMost      = 32 << 10 // bytes of a list: some 500 shares with comments
	rapEntrySize = 20       // of NetShareInfo1 (§2.5.7.2)
	rapReplySize = 8        // of the parameters of a reply
	rapComment   = 256      // bytes of a comment that are kept: entries may share theirs
)

// rapShares returns the request for names, types and comments (MS-RAP §2.5.6.1): descriptors of what goes and what comes, the
// level, and how much there is room for.
func rapShares() []byte {
	p := append(le.AppendUint16(nil, rapShareEnum), "WrLeh\x00B13BWz\x00"...)
	p = le.AppendUint16(le.AppendUint16(p, 1), rapMost)
	return transaction1(`\PIPE\LANMAN`, nil, p, nil, rapReplySize, rapMost)
}

// A transaction collects the reply to a request of the same name, which may come in several messages (MS-CIFS §2.2.4.33.2).
type transaction struct{ parameters, data []byte }

// add reports whether the message was the last.
func (t *transaction) add(r response1) (last bool, err error) {
	if len(r.words) < 20 {
		return false, errShort
	}
	word := func(i int) int { return int(le.Uint16(r.words[2*i:])) }
	take := func(list *[]byte, most, total, count, offset, displacement int) {
		switch {
		case err != nil || count == 0 && total == len(*list):
		case total > most || len(*list)+count > total || displacement != len(*list):
			err = errors.New("a transaction out of order")
		case offset < r.at || offset+count > len(r.message):
			err = errors.New("points outside of the message")
		default:
			*list = append(*list, r.message[offset:offset+count]...)
		}
	}
	take(&t.parameters, rapReplySize, word(0), word(3), word(4), word(5))
	take(&t.data, rapMost, word(1), word(6), word(7), word(8))
	return len(t.parameters) == word(0) && len(t.data) == word(1), err
}

// shares reads the reply to rapShares (MS-RAP §2.5.6.2): a code, what offsets of comments are too high by, and how many
// entries came. Texts are in the server's OEM code page, of which ASCII is what can be told.
func (t *transaction) shares() (shares []Share, code uint16, err error) {
	const moreData = 234 // ERROR_MORE_DATA
	if len(t.parameters) < rapReplySize {
		return nil, 0, errShort
	}
	code, converter, count := le.Uint16(t.parameters), le.Uint16(t.parameters[2:]), int(le.Uint16(t.parameters[4:]))
	switch {
	case code == moreData:
		return nil, code, errTooMany
	case code != 0:
		return nil, code, nil
	case count*rapEntrySize > len(t.data):
		return nil, 0, fmt.Errorf("%d shares in %d bytes", count, len(t.data))
	}
	shares = make([]Share, count)
	for i := range shares {
		entry := t.data[i*rapEntrySize:][:rapEntrySize]
		name, _, _ := bytes.Cut(entry[:13], []byte{0})
		s := &shares[i]
		s.Name, _ = probe.UTF8(name)
		s.Type = shareTypes[uint32(entry[14])]
		if le.Uint32(entry[16:]) == 0 {
			continue
		}
		at := int(le.Uint16(entry[16:]) - converter)
		if at >= len(t.data) {
			return nil, 0, errors.New("a comment outside of the list")
		}
		comment, _, _ := bytes.Cut(t.data[at:min(at+rapComment, len(t.data))], []byte{0})
		s.Comment, _ = probe.UTF8(comment)
	}
	return shares, 0, nil
}
