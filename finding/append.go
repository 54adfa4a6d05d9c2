package finding

import (
	"math"
	"strconv"

	"github.com/handclasp/handclasp/internal/rawjson"
)

// findings are written by appending, as package json would write them: they are two thirds of what is stored of a result, and
// through reflection cost three times as much.
type findings []Finding

// AppendJSON appends the array to b. If it fails, b is returned as it was.
func (list findings) AppendJSON(b []byte) (_ []byte, err error) {
	start := len(b)
	b = append(b, '[')
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = list[i].appendJSON(b); err != nil {
			return b[:start], err
		}
	}
	return append(b, ']'), nil
}

func (f *Finding) appendJSON(b []byte) (_ []byte, err error) {
	severity, err := f.Severity.MarshalText()
	if err != nil {
		return b, err
	}
	b = appendMember(b, `{"key":`, f.Key)
	b = appendMember(b, `,"id":`, f.ID)
	b = appendMember(b, `,"title":`, f.Title)
	b = appendMember(b, `,"severity":`, string(severity))
	b = appendMember(b, `,"known":`, string(f.Known))
	b = rawjson.AppendList(append(b, `,"basis":`...), f.Basis, rawjson.AppendString)
	b = rawjson.AppendList(append(b, `,"items":`...), f.Items, appendItem)
	b = appendMember(b, `,"detail":`, f.Detail)
	b = rawjson.AppendList(append(b, `,"cwe":`...), f.CWE, func(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) })
	if len(f.CVE) > 0 {
		b = rawjson.AppendList(append(b, `,"cve":`...), f.CVE, rawjson.AppendString)
	}
	if f.CVSS != "" {
		b = appendMember(b, `,"cvss":`, f.CVSS)
	}
	if b, err = appendNumber(b, `,"cvss_score":`, f.Score); err != nil {
		return b, err
	}
	if f.KEV != "" {
		b = appendMember(b, `,"kev":`, f.KEV)
	}
	if b, err = appendNumber(b, `,"epss":`, f.EPSS); err != nil {
		return b, err
	}
	if f.Data != nil {
		if b, err = rawjson.Append(append(b, `,"data":`...), f.Data); err != nil {
			return b, err
		}
	}
	b = appendMember(b, `,"remediation":`, f.Remediation)
	b = rawjson.AppendList(append(b, `,"references":`...), f.References, rawjson.AppendString)
	if f.Baseline != "" {
		b = appendMember(b, `,"baseline":`, string(f.Baseline))
	}
	if len(f.Accepted) > 0 {
		if b, err = rawjson.Append(append(b, `,"accepted":`...), f.Accepted); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}

func appendMember(b []byte, name, value string) []byte {
	return rawjson.AppendString(append(b, name...), value)
}

func appendItem(b []byte, i Item) []byte {
	return append(appendMember(appendMember(b, `{"value":`, i.Value), `,"basis":`, i.Basis), '}')
}

// appendNumber appends a member that is left out if it is zero. Numbers that package json writes with an exponent are left to it.
func appendNumber(b []byte, name string, n float64) ([]byte, error) {
	switch size := math.Abs(n); {
	case n == 0:
		return b, nil
	case 1e-6 <= size && size < 1e21:
		return strconv.AppendFloat(append(b, name...), n, 'f', -1, 64), nil
	}
	return rawjson.Append(append(b, name...), n)
}
