package redact

import (
	_ "embed"
	"net/netip"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/handclasp/handclasp/internal/lazy"
)

//go:embed words.txt
var wordList string

// vocabulary are the words that say nothing of anybody: protocols', products' and those of their messages.
var vocabulary = sync.OnceValue(func() map[string]bool {
	known := map[string]bool{}
	for line := range strings.Lines(wordList) {
		if line, _, _ = strings.Cut(line, "#"); strings.TrimSpace(line) != "" {
			for _, w := range strings.Fields(line) {
				known[strings.ToLower(w)] = true
			}
		}
	}
	return known
})

var (
	piece = lazy.Pattern(`[\p{L}\p{M}\p{N}]+`)
	// A chain is what belongs together: a host's name, an address of mail, a path, an algorithm, a version, an address.
	chain = lazy.Pattern(`[0-9]{1,3}(?:,[0-9]{1,3}){3,}|[\p{L}\p{M}\p{N}]+(?:[-._@:/\\+%&'$~]{1,3}[\p{L}\p{M}\p{N}]+)*`)
	runs  = lazy.Pattern(`[0-9]+|[^0-9]+`)
)

// name replaces all words of a text.
func (r *Redactor) name(text string) string {
	if text == "" {
		return ""
	}
	r.whole[text] = true
	if a, err := netip.ParseAddr(text); err == nil {
		return r.addr(a).String()
	}
	bare, network, _ := strings.Cut(text, "/")
	if a, err := netip.ParseAddrPort(bare); err == nil && (network == "" || network == "udp" || network == "tcp") {
		return r.addrPort(a).String() + text[len(bare):]
	}
	var b strings.Builder
	end := 0
	for _, at := range piece().FindAllStringIndex(text, -1) {
		w := text[at[0]:at[1]]
		b.WriteString(text[end:at[0]])
		end = at[1]
		if w == "localhost" || at[0] > 0 && text[at[0]-1] == '.' && !strings.HasPrefix(text[end:], ".") && everybodys[strings.ToLower(w)] {
			b.WriteString(w)
			continue
		}
		if strings.Trim(w, "0123456789") != "" {
			r.names[strings.ToLower(w)] = true
		}
		b.WriteString(r.word(w))
	}
	return b.String() + text[end:]
}

// everybodys are the ends of names that say that one is of an internal network (RFC 6762 appendix G).
var everybodys = map[string]bool{
	"localdomain": true, "local": true, "internal": true, "intranet": true, "private": true, "corp": true, "home": true, "lan": true,
}

// spoken replaces the words of a text that aren't in the vocabulary, and those that belong to them.
func (r *Redactor) spoken(text string) string { return r.filter(text, nil) }

// said is spoken for texts that repeat what stands elsewhere: what was a name there is one here.
func (r *Redactor) said(text string) string { return r.filter(text, r.names) }

func (r *Redactor) filter(text string, names map[string]bool) string {
	return chain().ReplaceAllStringFunc(text, func(c string) string {
		if a, err := netip.ParseAddr(c); err == nil {
			return r.addr(a).String()
		}
		if a, err := netip.ParseAddrPort(c); err == nil {
			return r.addrPort(a).String()
		}
		pieces := piece().FindAllString(c, -1)
		numbers, harmless := 0, true
		for _, w := range pieces {
			if strings.Trim(w, "0123456789") == "" {
				numbers++
			}
			harmless = harmless && isHarmless(w) && !names[strings.ToLower(w)]
		}
		switch {
		// Four numbers and more may be an address, unless they are a version.
		case numbers == len(pieces) && (strings.Contains(c, "::") || numbers > 3 && strings.Trim(c, "0123456789.") != ""):
			return piece().ReplaceAllString(c, "0")
		case harmless:
			return c
		case numbers == len(pieces): // as long as it was, since it may be a size or a time
			return piece().ReplaceAllStringFunc(c, func(w string) string { return strings.Repeat("9", min(len(w), 18)) })
		}
		return piece().ReplaceAllStringFunc(c, r.word)
	})
}

// isHarmless reports whether a word is in the vocabulary, or numbers and words of it, or a number that is too short to name anybody.
func isHarmless(w string) bool {
	if known := vocabulary(); !known[strings.ToLower(w)] {
		for _, run := range runs().FindAllString(w, -1) {
			number := run[0] >= '0' && run[0] <= '9'
			if number && len(run) > 5 || !number && utf8.RuneCountInString(run) > 1 && !known[strings.ToLower(run)] {
				return false
			}
		}
	}
	return true
}

// isText reports whether bytes are lines that people could read.
func isText(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	for _, c := range string(b) {
		if c != '\r' && c != '\n' && c != '\t' && !unicode.IsPrint(c) {
			return false
		}
	}
	return true
}
