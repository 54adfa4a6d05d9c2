package weakkeys

import (
	"bufio"
	"crypto/md5"  // what openssh-blacklist is made of
	"crypto/sha1" // what openssl-blacklist is made of
	"encoding/hex"
	"fmt"
	"io"
	"math/big"
	"strings"
)

// Bounds on a list: Debian's own, of all sizes of RSA together, have less than 2,000,000 keys.
const (
	maxEntries  = 1 << 22
	maxListLine = 1 << 10
)

// entrySize is the length of an entry: the last 80 bits of a hash.
const entrySize = 10

// A List is a list of keys that are known to be weak, such as the packages openssl-blacklist and openssh-blacklist have
// them. The zero value is empty.
type List struct{ entries map[[entrySize]byte]struct{} }

// ParseList reads a list: on each line 20 hexadecimal digits, the last 80 bits of a hash; lines that are empty or begin
// with # say nothing. The hash is SHA-1 of "Modulus=" and the modulus in upper-case hexadecimal and a newline for
// openssl-blacklist, and MD5 of the key's blob for openssh-blacklist; a list may have both. Any other line, and a list of
// more than 4,194,304 entries, is an error that names the line.
func ParseList(r io.Reader) (*List, error) {
	l := &List{map[[entrySize]byte]struct{}{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, maxListLine), maxListLine)
	number := 0
	for lines.Scan() {
		number++
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		var entry [entrySize]byte
		if n, err := hex.Decode(entry[:], []byte(line[:min(len(line), 2*entrySize)])); err != nil || n != entrySize || len(line) != 2*entrySize {
			return nil, fmt.Errorf("list of weak keys, line %d: not 20 hexadecimal digits", number)
		}
		if l.entries[entry] = struct{}{}; len(l.entries) > maxEntries {
			return nil, fmt.Errorf("list of weak keys, line %d: more than %d entries", number, maxEntries)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("list of weak keys, line %d: %w", number+1, err)
	}
	return l, nil
}

// Len is the number of different entries.
func (l *List) Len() int {
	if l == nil {
		return 0
	}
	return len(l.entries)
}

// HasModulus reports whether an RSA key with this modulus is listed as openssl-blacklist does.
func (l *List) HasModulus(n *big.Int) bool {
	if !inBounds(n) {
		return false
	}
	sum := sha1.Sum(fmt.Appendf(nil, "Modulus=%X\n", n))
	return l.has(sum[:])
}

// HasBlob reports whether an SSH key, of any type, with this blob (RFC 4253 §6.6) is listed as openssh-blacklist does.
func (l *List) HasBlob(blob []byte) bool {
	sum := md5.Sum(blob)
	return l.has(sum[:])
}

func (l *List) has(sum []byte) bool {
	if l == nil {
		return false
	}
	_, ok := l.entries[[entrySize]byte(sum[len(sum)-entrySize:])]
	return ok
}
