package lab_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/lab"
)

func TestOpenNews(t *testing.T) {
	s, err := lab.OpenNews(t.Context())
	c := dial(t, must(t, s, err))
	c.expect("200 news.lab.test ready, posting allowed")
	c.say("CAPABILITIES", "101 capabilities follow")
	lines, err := c.ReadDotLines()
	require.NoError(t, err)
	require.Equal(t, []string{
		"VERSION 2", "IMPLEMENTATION handclasp lab", "READER", "POST", "IHAVE", "STREAMING", "LIST ACTIVE", "AUTHINFO USER",
	}, lines)
	c.say("MODE READER", "200 posting allowed")
	c.say("mode stream", "203 streaming permitted")
	c.say("GROUP no.such.group", "411 no such group")
	c.say("group lab.misc", "211 0 1 0 lab.misc")
	c.say("LIST ACTIVE", "215 groups follow")
	lines, err = c.ReadDotLines()
	require.NoError(t, err)
	require.Equal(t, []string{"lab.announce 0 1 m", "lab.misc 0 1 y", "lab.test 0 1 y"}, lines)
	c.say("LIST OVERVIEW.FMT", "503 not kept")
	require.NoError(t, c.PrintfLine("DATE"))
	date, err := c.ReadLine()
	require.NoError(t, err)
	require.Regexp(t, `^111 20\d{12}$`, date)
	c.say("STARTTLS", "500 unknown command")
	c.say("", "500 no command")
	c.say("POST", "440 not today")
	c.say("IHAVE <x@client.test>", "435 not wanted")
	c.say("AUTHINFO USER x", "381 password required")
	c.say("AUTHINFO PASS x", "481 authentication failed")
	c.say("QUIT", "205 goodbye")
	c.closed()
}

func TestNewsLongLine(t *testing.T) {
	s, err := lab.OpenNews(t.Context())
	c := dial(t, must(t, s, err))
	c.expect("200 news.lab.test ready, posting allowed")
	_, err = c.conn.Write(bytes.Repeat([]byte("x"), 600))
	require.NoError(t, err)
	c.closed()
}
