package finding

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/handclasp/handclasp/internal/texts"
	"github.com/handclasp/handclasp/probe"
)

// A Digest stands for all that a scan learned of an endpoint, in this program and in others. The zero value stands for nothing.
type Digest [16]byte

// A packer writes parts twice at once: in few bytes, with numbers of words, and with the words themselves, for the digest. Most of
// what results say is the same at many endpoints.
type packer struct {
	words       *texts.Set
	short, long []byte
}

func (k *packer) num(n uint64) {
	k.short, k.long = binary.AppendUvarint(k.short, n), binary.AppendUvarint(k.long, n)
}

func (k *packer) flag(b bool) {
	n := uint64(0)
	if b {
		n = 1
	}
	k.num(n)
}

func (k *packer) word(text string) {
	n, _ := k.words.Add(text)
	k.short = binary.AppendUvarint(k.short, uint64(n))
	k.text(text)
}

func (k *packer) raw(b []byte) {
	k.num(uint64(len(b)))
	k.short, k.long = append(k.short, b...), append(k.long, b...)
}

func (k *packer) text(text string) {
	k.long = append(binary.AppendUvarint(k.long, uint64(len(text))), text...)
}

func (k *packer) list(texts []string) {
	k.num(uint64(len(texts)))
	for _, text := range texts {
		k.word(text)
	}
}

// asWord keeps what write writes as a word of its own, since it is the same at many endpoints, too.
func (k *packer) asWord(write func()) {
	at := len(k.short)
	write()
	n, _ := k.words.Add(string(k.short[at:]))
	k.short = binary.AppendUvarint(k.short[:at], uint64(n))
}

// verdict writes what a rule says, without which one it is.
func (k *packer) verdict(v *verdict) {
	k.num(uint64(v.rated))
	k.num(uint64(v.own))
	k.word(string(v.finding.Known))
	k.word(v.finding.Detail)
	k.list(v.finding.Basis)
	k.num(uint64(len(v.finding.Items)))
	for _, item := range v.finding.Items {
		k.word(item.Value)
		k.word(item.Basis)
	}
	k.num(uint64(len(v.finding.Accepted)))
	for _, a := range v.finding.Accepted {
		k.list(a.Items)
		k.word(a.Until)
		k.word(a.Reason)
		k.word(a.By)
	}
}

// pack writes a part behind its digest. rules stands for those that it was judged by.
func (k *packer) pack(p *part, rules []Rule, by string) string {
	k.short, k.long = append(k.short[:0], make([]byte, len(Digest{}))...), append(k.long[:0], by...)
	k.flag(p.answered)
	k.flag(p.marks != nil)
	addr, _ := p.addr.MarshalBinary() // never fails
	k.raw(addr)
	k.word(p.name)
	k.word(p.protocol)
	k.word(p.speaks)
	k.num(uint64(p.level + 1))
	k.word(string(p.outcome))
	k.flag(p.closed)
	k.flag(p.old)
	k.word(p.answers)
	k.num(uint64(len(p.fires)))
	for _, v := range p.fires {
		k.short = binary.AppendUvarint(k.short, uint64(v.rule))
		k.text(rules[v.rule].ID)
		k.asWord(func() { k.verdict(v) })
	}
	k.num(uint64(len(p.facts)))
	for _, f := range p.facts {
		k.asWord(func() {
			k.word(f.path)
			k.list(f.values)
			k.flag(f.whole)
			k.flag(f.from != nil)
			for _, value := range f.values {
				if f.from != nil {
					k.word(f.from[value])
				}
			}
		})
	}
	k.list(p.lost)
	k.num(uint64(len(p.marks)))
	for _, m := range p.marks {
		k.flag(m.learned)
		k.num(uint64(len(m.marks)))
		for _, mark := range m.marks {
			k.word(mark.Value)
			k.word(mark.Basis)
		}
	}
	sum := sha256.Sum256(k.long)
	copy(k.short, sum[:len(Digest{})])
	return string(k.short)
}

// An unpacker reads what a packer wrote.
type unpacker struct {
	words *texts.Set
	rest  string
}

func (u *unpacker) num() uint64 {
	n := uint64(0)
	for shift := 0; ; shift += 7 {
		b := u.rest[0]
		u.rest = u.rest[1:]
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n
		}
	}
}

func (u *unpacker) flag() bool { return u.num() != 0 }
func (u *unpacker) text() string {
	n := u.num()
	text := u.rest[:n]
	u.rest = u.rest[n:]
	return text
}

func (u *unpacker) word() string { return u.words.Text(int(u.num())) }

func (u *unpacker) list() []string {
	n := u.num()
	if n == 0 {
		return nil
	}
	texts := make([]string, n)
	for i := range texts {
		texts[i] = u.word()
	}
	return texts
}

func (u *unpacker) verdict(rule int) *verdict {
	v := &verdict{rule: rule, rated: Severity(u.num()), own: Severity(u.num())}
	v.finding.Known, v.finding.Detail, v.finding.Basis = Known(u.word()), u.word(), u.list()
	for range u.num() {
		v.finding.Items = append(v.finding.Items, Item{u.word(), u.word()})
	}
	for range u.num() {
		v.finding.Accepted = append(v.finding.Accepted, Acceptance{u.list(), u.word(), u.word(), u.word()})
	}
	return v
}

func (u *unpacker) fact() *fact {
	f := &fact{path: u.word(), values: u.list(), whole: u.flag()}
	if u.flag() {
		f.from = map[string]string{}
		for _, value := range f.values {
			f.from[value] = u.word()
		}
	}
	return f
}

func unpack(w *texts.Set, packed string) *part {
	u := &unpacker{w, packed[len(Digest{}):]}
	p := &part{answered: u.flag()}
	_ = u.flag()                                 // that it has marks
	_ = p.addr.UnmarshalBinary([]byte(u.text())) // as it was marshalled
	p.name, p.protocol, p.speaks = u.word(), u.word(), u.word()
	p.level = probe.Level(u.num()) - 1
	p.outcome = probe.Outcome(u.word())
	p.closed, p.old, p.answers = u.flag(), u.flag(), u.word()
	for range u.num() {
		rule := int(u.num())
		p.fires = append(p.fires, (&unpacker{w, u.word()}).verdict(rule))
	}
	for range u.num() {
		p.facts = append(p.facts, (&unpacker{w, u.word()}).fact())
	}
	p.lost = u.list()
	for range u.num() {
		m := marked{learned: u.flag()}
		for range u.num() {
			m.marks = append(m.marks, Mark{u.word(), u.word()})
		}
		p.marks = append(p.marks, m)
	}
	return p
}

// A kept sighting is its packed parts, each behind its length.
type kept string

func (k kept) add(packed string) kept {
	return kept(binary.AppendUvarint([]byte(k), uint64(len(packed)))) + kept(packed)
}

// parts yields the packed parts.
func (k kept) parts(yield func(packed string) bool) {
	u := &unpacker{rest: string(k)}
	for u.rest != "" {
		if !yield(u.text()) {
			return
		}
	}
}

// hasMarks reports whether comparisons look at a part.
func hasMarks(packed string) bool { return packed[len(Digest{})+1] != 0 }

// answered reports whether somebody spoke.
func (k kept) answered() bool {
	for packed := range k.parts {
		if packed[len(Digest{})] != 0 {
			return true
		}
	}
	return false
}
