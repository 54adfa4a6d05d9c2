package probe

import "fmt"

// A Level says how far a probe may go. The zero value is [LevelHandshake]; levels compare with < and >.
type Level int

// The levels, each including the one before it.
const (
	// LevelGreeting reads what the server volunteers and sends nothing.
	LevelGreeting Level = iota - 1
	// LevelHandshake asks what any client asks before it logs in.
	LevelHandshake
	// LevelAnonymous also uses what is offered to anybody, such as an anonymous FTP root listing.
	LevelAnonymous
)

var levelNames = map[Level]string{LevelGreeting: "greeting", LevelHandshake: "handshake", LevelAnonymous: "anonymous"}

// String returns "greeting", "handshake" or "anonymous".
func (l Level) String() string {
	if name, ok := levelNames[l]; ok {
		return name
	}
	return fmt.Sprintf("Level(%d)", int(l))
}

// ParseLevel is the inverse of [Level.String].
func ParseLevel(name string) (Level, error) {
	for l, n := range levelNames {
		if n == name {
			return l, nil
		}
	}
	return 0, fmt.Errorf("unknown level %q: use greeting, handshake or anonymous", name)
}

// MarshalText implements [encoding.TextMarshaler]. A level that doesn't exist is written too, so that a result that was
// refused for it can be.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (l *Level) UnmarshalText(text []byte) (err error) {
	*l, err = ParseLevel(string(text))
	return err
}
