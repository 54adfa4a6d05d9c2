package finding

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/handclasp/handclasp/internal/rawjson"
)

// AppendJSON appends the standing's JSON object to b, as package json writes it: a first scan stores one for each endpoint, and
// through reflection that takes three times as long. If it fails, b is returned as it was.
func (st *Standing) AppendJSON(b []byte) ([]byte, error) {
	start := len(b)
	b = appendTime(append(b, `{"first":`...), st.First)
	b = appendTime(append(b, `,"answered":`...), st.Answered)
	b = appendTime(append(b, `,"learned":`...), st.Learned)
	b = strconv.AppendBool(append(b, `,"up":`...), st.Up)
	if st.Scope != "" {
		b = appendMember(b, `,"scope":`, string(st.Scope))
	}
	b = appendMember(b, `,"level":`, st.Level.String())
	b = appendMember(b, `,"protocol":`, st.Protocol)
	b = rawjson.AppendList(append(b, `,"heard":`...), st.Heard, rawjson.AppendString)
	var err error
	b = appendMap(append(b, `,"open":`...), st.Open, func(b []byte, h *Held) []byte {
		b, failed := h.appendJSON(b)
		if failed != nil {
			err = failed
		}
		return b
	})
	b = appendMap(append(b, `,"facts":`...), st.Facts, func(b []byte, h *History) []byte {
		b = rawjson.AppendList(append(b, `{"values":`...), h.Values, rawjson.AppendString)
		b = appendMap(append(b, `,"seen":`...), h.Seen, appendTime)
		if h.Pool {
			b = append(b, `,"pool":true`...)
		}
		if len(h.From) > 0 {
			b = appendMap(append(b, `,"from":`...), h.From, rawjson.AppendString)
		}
		return append(b, '}')
	})
	if err != nil {
		return b[:start], err
	}
	return append(b, '}'), nil
}

func (h *Held) appendJSON(b []byte) ([]byte, error) {
	severity, err := h.Severity.MarshalText()
	if err != nil {
		return b, err
	}
	b = appendMember(b, `{"severity":`, string(severity))
	b = appendMember(b, `,"known":`, string(h.Known))
	if len(h.Items) > 0 {
		b = appendMap(append(b, `,"items":`...), h.Items, appendHeldItem)
	}
	if len(h.With) > 0 {
		if b, err = rawjson.Append(append(b, `,"with":`...), h.With); err != nil {
			return b, err
		}
	}
	if h.Detail != "" {
		b = appendMember(b, `,"detail":`, h.Detail)
	}
	if len(h.Basis) > 0 {
		b = rawjson.AppendList(append(b, `,"basis":`...), h.Basis, rawjson.AppendString)
	}
	if len(h.Accepted) > 0 {
		if b, err = rawjson.Append(append(b, `,"accepted":`...), h.Accepted); err != nil {
			return b, err
		}
	}
	if h.By != "" {
		b = appendMember(b, `,"by":`, h.By)
	}
	b = appendTime(append(b, `,"first":`...), h.First)
	b = appendTime(append(b, `,"confirmed":`...), h.Confirmed)
	b = appendTime(append(b, `,"last":`...), h.Last)
	b = strconv.AppendUint(append(b, `,"hits":`...), h.Hits, 10)
	if h.Misses != 0 {
		b = strconv.AppendInt(append(b, `,"misses":`...), int64(h.Misses), 10)
	}
	if h.Unknown != 0 {
		b = strconv.AppendInt(append(b, `,"unknown":`...), int64(h.Unknown), 10)
	}
	if h.Reason != "" {
		b = appendMember(b, `,"reason":`, h.Reason)
	}
	return append(b, '}'), nil
}

func appendHeldItem(b []byte, i *HeldItem) []byte {
	b = appendMember(b, `{"basis":`, i.Basis)
	b = strconv.AppendUint(append(b, `,"hits":`...), i.Hits, 10)
	if i.Misses != 0 {
		b = strconv.AppendInt(append(b, `,"misses":`...), int64(i.Misses), 10)
	}
	return append(strconv.AppendBool(append(b, `,"told":`...), i.Told), '}')
}

func appendTime(b []byte, t time.Time) []byte {
	return append(t.AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
}

// appendMap appends an object whose members are in order.
func appendMap[V any](b []byte, m map[string]V, value func(b []byte, v V) []byte) []byte {
	if m == nil {
		return append(b, "null"...)
	}
	b = append(b, '{')
	for i, name := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = value(append(rawjson.AppendString(b, name), ':'), m[name])
	}
	return append(b, '}')
}
