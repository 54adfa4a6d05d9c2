package probe

import "net/netip"

// A Stray is a datagram that came to the socket of a UDP connection from another port or address than what was asked: a host
// with several addresses answers so, and one behind a bad translation of addresses.
type Stray struct {
	From netip.AddrPort
	Data []byte
}

const (
	maxStrays = 8    // that are kept of a connection
	straySize = 1024 // of each
)

// strayConn is a UDP connection that has a second ear. Dialers needn't give one.
type strayConn interface {
	// Elsewhere returns what came from elsewhere since it was asked last, without waiting.
	Elsewhere() []Stray
}

// Elsewhere returns the datagrams that came from elsewhere than the target while [Conn.Exchange] waited, a few of them. They
// are no answer: anybody may have sent them. Systems other than Linux show none.
func (c *Conn) Elsewhere() []Stray { return c.elsewhere }

// listenElsewhere takes what came to the second ear, against the budget of what may be received.
func (c *Conn) listenElsewhere() {
	conn, ok := c.raw.Conn.(strayConn)
	if !ok {
		return
	}
	for _, s := range conn.Elsewhere() {
		c.s.bytesIn.Add(int64(len(s.Data)) + datagramCost)
		if len(c.elsewhere) == maxStrays {
			continue
		}
		c.s.log.add(Event{Conn: c.id, Dir: DirStray, Data: s.Data, Label: s.From.String()})
		c.elsewhere = append(c.elsewhere, s)
	}
}
