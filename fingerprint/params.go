package fingerprint

import (
	"fmt"
	"strings"
)

const (
	maxParams = 64  // of a fingerprint; Recog's largest has 15
	maxPieces = 16  // of a template
	maxNested = 3   // templates within templates
	maxValue  = 512 // bytes of a param that templates make
)

// A param is a literal, a template or a group of the pattern.
type param struct {
	group int
	value []piece // if group is 0
}

// A piece of a template is text, or the name of another param.
type piece struct {
	text string
	name bool
}

// params are the params of a fingerprint.
type params struct {
	byName map[string]param
	order  []string
	cpe    map[string]cpeTemplate // by the name's first part: "service", "os", "hw"
}

// add adds a param of a pattern that has that many groups. Of two with the same name the later counts.
func (p *params) add(name, value string, group, groups int) error {
	switch {
	case name == "":
		return fmt.Errorf("a param has no name")
	case group < 0 || group > groups:
		return fmt.Errorf("param %s: there is no group %d", name, group)
	case group > 0 && value != "":
		return fmt.Errorf("param %s: both a value and group %d", name, group)
	case len(p.order) == maxParams:
		return fmt.Errorf("more than %d params", maxParams)
	case len(parseTemplate(value)) > maxPieces:
		return fmt.Errorf("param %s: a value of more than %d pieces", name, maxPieces)
	}
	if part, ok := strings.CutSuffix(name, ".cpe23"); ok && group == 0 {
		t, err := parseCPE(value)
		if err != nil {
			return fmt.Errorf("param %s: %w", name, err)
		}
		p.cpe[part] = t
		return nil
	}
	if _, ok := p.byName[name]; !ok {
		p.order = append(p.order, name)
	}
	p.byName[name] = param{group: group, value: parseTemplate(value)}
	return nil
}

// parseTemplate splits text at "{name}". A brace that doesn't begin a name is text.
func parseTemplate(s string) (pieces []piece) {
	var text string
	for s != "" {
		open := strings.IndexByte(s, '{')
		if open < 0 {
			break
		}
		n := strings.IndexAny(s[open+1:], "{} \t\r\n")
		if n <= 0 || s[open+1+n] != '}' {
			text, s = text+s[:open+1], s[open+1:]
			continue
		}
		if text += s[:open]; text != "" {
			pieces = append(pieces, piece{text: text})
		}
		pieces = append(pieces, piece{text: s[open+1 : open+1+n], name: true})
		text, s = "", s[open+1+n+1:]
	}
	if text += s; text != "" {
		pieces = append(pieces, piece{text: text})
	}
	return pieces
}

// A filling is the params of one match, while they are worked out.
type filling struct {
	params
	text   string
	groups []int
}

// fill returns the params that the match has; those that name a group that took no part, or such a param, are left out,
// as are those called _tmp.*, which only serve others.
func (p params) fill(text string, groups []int) map[string]string {
	f := filling{params: p, text: text, groups: groups}
	out := make(map[string]string, len(p.order)+len(p.cpe))
	for _, name := range p.order {
		if strings.HasPrefix(name, "_tmp.") {
			continue
		}
		if v, ok := f.get(name, 0); ok {
			out[name] = v
		}
	}
	for part, t := range p.cpe {
		if cpe := t.bind(func(pieces []piece) string {
			if v, ok := f.expand(pieces, 0); ok {
				return v
			}
			return "" // a part that isn't known makes the whole attribute unknown
		}); cpe != "" {
			out[part+".cpe23"] = cpe
		}
	}
	return out
}

func (f filling) get(name string, depth int) (string, bool) {
	p, ok := f.byName[name]
	if !ok {
		return "", false
	}
	if p.group == 0 {
		return f.expand(p.value, depth)
	}
	from, to := f.groups[2*p.group], f.groups[2*p.group+1]
	if from < 0 {
		return "", false
	}
	return f.text[from:to], true
}

// expand fills a template. If a param is missing, ok is false.
func (f filling) expand(pieces []piece, depth int) (value string, ok bool) {
	if depth > maxNested {
		return "", false
	}
	for _, p := range pieces {
		v := p.text
		if p.name {
			var known bool
			if v, known = f.get(p.text, depth+1); !known {
				return "", false
			}
		}
		if value += v; len(value) > maxValue {
			return "", false
		}
	}
	return value, true
}
