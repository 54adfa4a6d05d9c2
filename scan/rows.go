package scan

import (
	"encoding/csv"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// rows understands the lines of a list that are CSV.
type rows struct {
	begun   bool
	columns []string // of ZMap's header, in lower case; nil if there is none
}

// understand makes a target of a line, or says that there is none to be made of it.
func (r *rows) understand(in Input) (_ Input, skip bool, err error) {
	first := !r.begun
	r.begun = true
	if r.columns == nil && !first && !strings.Contains(in.Text, ",") {
		return in, false, nil
	}
	fields, err := fieldsOf(in.Text)
	if err != nil {
		return in, false, fmt.Errorf("not CSV: %w", err)
	}
	if first {
		if columns := strings.Split(strings.ToLower(strings.Join(fields, ",")), ","); slices.Contains(columns, "saddr") {
			r.columns = columns
			return in, true, nil
		}
	}
	switch {
	case r.columns != nil:
		return r.zmap(in, fields)
	case len(fields) > 1:
		return zgrab(in, fields)
	}
	return in, false, nil
}

func fieldsOf(text string) ([]string, error) {
	if !strings.ContainsAny(text, `,"`) {
		return []string{text}, nil
	}
	c := csv.NewReader(strings.NewReader(text))
	c.TrimLeadingSpace = true
	fields, err := c.Read()
	if err != nil {
		var e *csv.ParseError
		if errors.As(err, &e) {
			err = e.Err
		}
		return nil, err
	}
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	return fields, nil
}

// zmap understands a row that ZMap wrote of one reply: saddr and sport are whom it came from. Rows that tell of
// repeated replies, and of failures such as a reset, are in its output only on demand, and no targets.
func (r *rows) zmap(in Input, fields []string) (_ Input, skip bool, err error) {
	if len(fields) != len(r.columns) {
		return in, false, fmt.Errorf("%d fields are too few or too many: the header has %d", len(fields), len(r.columns))
	}
	get := func(column string) string {
		if i := slices.Index(r.columns, column); i >= 0 {
			return fields[i]
		}
		return ""
	}
	if no := get("success"); no == "0" || strings.EqualFold(no, "false") {
		return in, true, nil
	}
	if yes := get("repeat"); yes == "1" || strings.EqualFold(yes, "true") {
		return in, true, nil
	}
	text, err := addressAndPort(get("saddr"), get("sport"))
	if err != nil {
		return in, false, fmt.Errorf("column saddr: %w", err)
	}
	in.Text = text
	return in, false, nil
}

// zgrab understands a row as zgrab2 reads it.
func zgrab(in Input, fields []string) (Input, bool, error) {
	if len(fields) > 4 {
		return in, false, fmt.Errorf("the row has %d fields: a row is an address, a domain, a tag and a port", len(fields))
	}
	if len(fields) == 2 && numeric(fields[1]) {
		fields = []string{fields[0], "", "", fields[1]} // an address and a port: the last label of a domain is no number
	}
	fields = append(fields, "", "", "")
	address, domain, tag, port := fields[0], fields[1], fields[2], fields[3]
	row := in
	row.Tag = tag
	if address != "" {
		row.Name = domain
		var err error
		if row.Text, err = addressAndPort(address, port); err != nil {
			return in, false, fmt.Errorf("field 1: %w", err)
		}
		return row, false, nil
	}
	if domain == "" {
		return in, false, errors.New("the row has neither an address nor a domain: a row is an address, a domain, a tag and a port")
	}
	if strings.ContainsAny(domain, ":/") {
		return in, false, fmt.Errorf("field 2: %q isn't a domain: a port goes into field 4", domain)
	}
	row.Text = domain
	if port != "" {
		row.Text += ":" + port
	}
	return row, false, nil
}

// addressAndPort writes an address or a range, and a port, as one target.
func addressAndPort(address, port string) (string, error) {
	_, err := netip.ParseAddr(address)
	_, err2 := netip.ParsePrefix(address)
	if _, _, isSpan := spanOf(address); err != nil && err2 != nil && !isSpan {
		return "", fmt.Errorf("%q is neither an address nor a range", address)
	}
	if port == "" {
		return address, nil
	}
	if strings.Contains(address, ":") {
		address = "[" + address + "]"
	}
	return address + ":" + port, nil
}
