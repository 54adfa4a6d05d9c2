package probe

import (
	"fmt"
	"strings"
)

// Contact is what a visitor says of itself in the words that protocols have for it, so that whoever reads a server's log
// knows who asked and where to complain. The zero value says handclasp. The guards check it.
type Contact struct {
	// Host is a name of the visitor, such as "scan.example.org": the argument of SMTP's EHLO (RFC 5321 §4.1.1.1), and
	// the beginning of names that are made up. Letters, digits, hyphens and dots; 64 bytes at most. Empty leaves both
	// to the protocol.
	Host string
	// Mail is an address where complaints are read, such as "abuse@example.org": the password of FTP's anonymous login
	// (RFC 1635) and the comment of SSH's identification (RFC 4253 §4.2). 64 bytes at most. Empty stands for
	// handclasp@handclasp.invalid, which nobody reads (RFC 6761 §6.4), with FTP, and for none with SSH.
	Mail string
}

// maxContact bounds each word of a Contact, so that no server's line length is met.
const maxContact = 64

// Check says what is wrong with the words of c; nil if they may be sent.
func (c Contact) Check() error {
	if c.Host != "" && !hostWord(c.Host) {
		return fmt.Errorf("contact host %q: want a host name of letters, digits, hyphens and dots, %d bytes at most", c.Host, maxContact)
	}
	if local, domain, ok := strings.Cut(c.Mail, "@"); c.Mail != "" && (!ok || !mailWord(local) || !hostWord(domain) || len(c.Mail) > maxContact) {
		return fmt.Errorf("contact mail %q: want an address such as abuse@example.org, %d bytes at most", c.Mail, maxContact)
	}
	return nil
}

func hostWord(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || strings.Trim(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" ||
			strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return false
		}
	}
	return len(s) <= maxContact
}

func mailWord(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-") == ""
}
