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

// maxListLine bounds a line of a list, remarks included.
const maxListLine = 1 << 10

// An Entry is how lists of weak keys name a key: the last 80 bits of a hash.
type Entry [10]byte

// ModulusEntry returns an RSA key's entry in openssl-blacklist: of the SHA-1 of "Modulus=", the modulus in upper-case hexadecimal and
// a newline. It reports false for a modulus that is out of bounds.
func ModulusEntry(n *big.Int) (Entry, bool) {
	if !inBounds(n) {
		return Entry{}, false
	}
	sum := sha1.Sum(fmt.Appendf(nil, "Modulus=%X\n", n))
	return entry(sum[:]), true
}

// BlobEntry returns the entry in openssh-blacklist of an SSH key, of any type: of the MD5 of its blob (RFC 4253 §6.6).
func BlobEntry(blob []byte) Entry {
	sum := md5.Sum(blob)
	return entry(sum[:])
}

func entry(sum []byte) Entry { return Entry(sum[len(sum)-len(Entry{}):]) }

// ReadList calls f for each entry of a list such as the packages openssl-blacklist and openssh-blacklist have them: on each line 20
// hexadecimal digits; lines that are empty or begin with # say nothing. Any other line is an error that names it. The list is
// never held in memory.
func ReadList(r io.Reader, f func(Entry)) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, maxListLine), maxListLine)
	number := 0
	for lines.Scan() {
		number++
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		var e Entry
		if n, err := hex.Decode(e[:], []byte(line[:min(len(line), 2*len(e))])); err != nil || n != len(e) || len(line) != 2*len(e) {
			return fmt.Errorf("line %d: not 20 hexadecimal digits", number)
		}
		f(e)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d: %w", number+1, err)
	}
	return nil
}
