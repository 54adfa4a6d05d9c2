// Package dtyp reads the data types that Microsoft's protocols share (MS-DTYP).
package dtyp

import (
	"encoding/binary"
	"fmt"
	"time"
	"unicode/utf16"
)

// Text decodes UTF-16LE; what isn't becomes U+FFFD.
func Text(b []byte) string {
	units := make([]uint16, len(b)/2, len(b)/2+1)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	if len(b)%2 != 0 {
		units = append(units, '\uFFFD')
	}
	return string(utf16.Decode(units))
}

// unixEpoch is 1970-01-01 as a FILETIME: intervals of 100 ns since 1601-01-01 (MS-DTYP §2.3.3).
const unixEpoch = 116444736000000000

// FileTime returns the time in UTC of 8 bytes. It returns nil for a zero time, which means that there is none, and for
// a year that JSON can't hold.
func FileTime(b []byte) *time.Time {
	if len(b) != 8 {
		return nil
	}
	ticks := binary.LittleEndian.Uint64(b)
	if ticks == 0 || ticks > 1<<63-1 {
		return nil
	}
	since := int64(ticks) - unixEpoch
	t := time.Unix(since/1e7, since%1e7*100).UTC()
	if t.Year() > 9999 {
		return nil
	}
	return &t
}

// GUID writes 16 bytes as "6f6e6d6c-1a2b-3c4d-8e5f-001122334455": the first three fields are little-endian on the wire
// (MS-DTYP §2.3.4.2).
func GUID(b [16]byte) string {
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", binary.LittleEndian.Uint32(b[0:]), binary.LittleEndian.Uint16(b[4:]),
		binary.LittleEndian.Uint16(b[6:]), b[8:10], b[10:])
}
