package fleet

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/report"
)

// resultOf is a result as a worker sends it.
func resultOf(scan, addr, more string) string {
	return fmt.Sprintf(`{"schema":"handclasp.result/1","protocol":"ftp","target":{"network":"tcp","addr":"%s","name":""},"started":"2026-11-28T00:00:00.000Z",`+
		`"elapsed_ms":1,"level":"greeting","outcome":"refused","error":null,"partial":[],"evidence":null,"findings":[],"scan":"%s"%s}`, addr, scan, more)
}

// held is an endpoint of a shard, and strange one of another.
func held(t *testing.T, s *Scan, u unit) (held, strange string) {
	t.Helper()
	for n := range 256 {
		addr := fmt.Sprintf("127.64.0.%d:21", n)
		if s.checkResult(u, []byte(resultOf(s.ID, addr, ""))) == nil {
			held = addr
		} else {
			strange = addr
		}
	}
	return held, strange
}

// What a worker sends that is no result is set aside, counted and told, and the others' results are collected.
func TestWhatIsNoResultIsSetAside(t *testing.T) {
	c := newCamp(t)
	s := small()
	s.Phase, s.ID = Running, "x"
	require.NoError(t, s.complete())
	_, u := c.streams(s)
	mine, strange := held(t, s, u)
	z, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	good := resultOf("x", mine, "")
	packed := func(body string) []byte { return z.EncodeAll([]byte(body), nil) }
	type message struct {
		subject string
		body    []byte
		plain   bool
		compare string
	}
	for name, tc := range map[string]struct {
		message
		collected, aside int
		why              string
	}{
		"torn zstd":              {message{body: packed(strings.Repeat(good, 9))[:60]}, 0, 1, "it can't be unpacked"},
		"no zstd":                {message{body: []byte(good)}, 0, 1, "it can't be unpacked"},
		"a bomb":                 {message{body: packed(strings.Repeat(" ", maxLot+1))}, 0, 1, "it can't be unpacked"},
		"a bomb of lines":        {message{body: packed(strings.Repeat("\n", maxLot-1))}, 0, asideLines, "isn't JSON"},
		"nothing":                {message{plain: true}, 0, 1, "it holds nothing"},
		"nothing, compressed":    {message{body: packed("")}, 0, 1, "it holds nothing"},
		"no JSON, among others":  {message{body: packed(good + "\n{\"schema\":\n" + good + "\n")}, 2, 1, "a line isn't JSON"},
		"another scan's":         {message{body: packed(resultOf("y", mine, ""))}, 0, 1, "of another scan"},
		"twice a scan":           {message{body: packed(resultOf("y", mine, `,"scan":"x"`))}, 0, 1, "of another scan"},
		"another shard's":        {message{body: packed(resultOf("x", strange, ""))}, 0, 1, "isn't in the shard"},
		"no target":              {message{body: packed(resultOf("x", "nowhere", ""))}, 0, 1, "no target"},
		"a footer":               {message{body: packed(`{"schema":"handclasp.scan/1","kind":"footer","scan":"x"}`)}, 0, 1, "no result"},
		"without any of these":   {message{body: packed(`{}`)}, 0, 1, "no result"},
		"no evidence":            {message{body: packed(strings.Replace(good, `"evidence":null`, `"evidence":7`, 1)), compare: "1"}, 0, 1, "can't be read"},
		"of nobody's comparison": {message{body: packed(resultOf("x", mine, `,"compare":{"scan":"z","marks":[]}`)), compare: "1"}, 1, 0, ""},
		"no such shard":          {message{subject: "hc.x.result.any.17", body: packed(good)}, 0, 1, "no such shard"},
		"no such vantage":        {message{subject: "hc.x.result.moon.1", body: packed(good)}, 0, 1, "no such shard"},
		"no shard at all":        {message{subject: "hc.x.result.any.1.2", body: packed(good)}, 0, 1, "names no shard"},
	} {
		t.Run(name, func(t *testing.T) {
			var told []string
			out, err := s.comparing()
			require.NoError(t, err)
			h := new(heap)
			m := &nats.Msg{Subject: tc.subject, Data: tc.body, Header: nats.Header{headerWorker: {"w\x1b[2J"}, headerCompare: {"0"}}}
			if tc.subject == "" {
				m.Subject = u.subject(kindResult)
			}
			if !tc.plain {
				m.Header.Set(headerEncoding, encoding)
			}
			if tc.compare != "" {
				m.Header.Set(headerCompare, tc.compare)
			}
			unpacker, err := newUnpacker()
			require.NoError(t, err)
			defer unpacker.z.Close()
			aside := &asideSet{scan: s, tell: func(line string) { told = append(told, line) }, told: map[string]bool{}}
			require.NoError(t, addAll(unpacker, m, 1, aside, judging{h, out}))
			require.NoError(t, addAll(unpacker, m, 2, aside, judging{h, out}))
			require.Len(t, h.lines, 2*tc.collected, told)
			if tc.aside == 0 {
				require.Empty(t, aside.new)
				return
			}
			require.Len(t, aside.new, 2)
			require.EqualValues(t, tc.aside, aside.new[0].count)
			require.Contains(t, aside.new[0].text, tc.why)
			require.Len(t, told, 1)
			require.Equal(t, report.Clean(told[0]), told[0])
		})
	}
}

// The real collector goes on behind what is no result, counts it once however many collect, and the footer doesn't call the scan complete.
func TestCollectorSetsAside(t *testing.T) {
	c := newCamp(t)
	var mu sync.Mutex
	var told []string
	c.client.Tell = func(line string) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, line)
	}
	s := c.submit(small())
	require.Eventually(t, func() bool {
		is, _, err := get(t.Context(), c.client.kv, s.ID)
		return err == nil && is.Phase == Running
	}, time.Minute, 10*time.Millisecond)
	for _, subject := range []string{"result.any.3", "result.any.3", "result.any.99", "result.any.4", "state.any.99", "state.any.x.y"} {
		m := nats.NewMsg("hc." + s.ID + "." + subject)
		m.Header.Set(headerWorker, "liar")
		_, err := c.client.js.PublishMsg(t.Context(), m)
		require.NoError(t, err)
	}
	c.worker(Worker{Dial: newNetwork(0).dial})
	dir := t.TempDir()
	is, err := c.client.Pick(t.Context(), []string{s.ID})
	require.NoError(t, err)
	text := string(c.gather(is, filepath.Join(dir, "one.jsonl"), true))
	require.Equal(t, 1024+2, strings.Count(text, "\n"))
	require.Contains(t, text, `"complete":false`)
	require.Len(t, told, 3)
	require.Contains(t, told[0], "shard 3 of "+s.ID+": set aside what is no result: liar: it holds nothing")
	require.Equal(t, text, string(c.gather(is, filepath.Join(dir, "two.jsonl"), true))) // whoever collects, and when

	st, err := c.client.Status(t.Context(), s.ID)
	require.NoError(t, err)
	require.EqualValues(t, 4, st.Aside.Count)
	require.Len(t, st.Aside.Of, 3)
	require.Contains(t, st.Aside.Of["any/3"], "liar: it holds nothing")
	require.EqualValues(t, 1024, st.Total.Done)
	require.Zero(t, st.Waiting)
}

// A shard in whose place something else stands is given up, and said so; the others are scanned.
func TestStateThatCantBeRead(t *testing.T) {
	c := newCamp(t)
	s := c.submit(small())
	require.Eventually(t, func() bool {
		is, _, err := get(t.Context(), c.client.kv, s.ID)
		return err == nil && is.Phase == Running
	}, time.Minute, 10*time.Millisecond)
	_, err := c.client.js.Publish(t.Context(), unit{s.ID, anywhere, 3}.subject(kindState), []byte("no state"))
	require.NoError(t, err)
	c.worker(Worker{Dial: newNetwork(0).dial})
	require.Eventually(t, func() bool {
		st, err := c.client.Status(t.Context(), s.ID)
		require.NoError(t, err)
		return st.Waiting == 1 && strings.Contains(st.Dead["any/3"], "can't be read") && len(st.Unread) == 1
	}, time.Minute, 50*time.Millisecond)
}
