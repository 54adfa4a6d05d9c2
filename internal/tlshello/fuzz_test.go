package tlshello

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzRead(f *testing.F) {
	for _, v := range versions {
		s := scripted{version: v, suites: []uint16{0xc02f, 0x2f, 0x1301}, curves: []Group{23}}
		q := hello(f, v, usual(v), offeredGroups(v))
		offer, err := parseHello(q.Send[5:])
		require.NoError(f, err)
		f.Add(uint16(v), s.flight(offer))
	}
	f.Add(uint16(SSL2), []byte(serverHello2))
	f.Add(uint16(TLS12), []byte{21, 3, 1, 0, 2, 2, 40})
	f.Fuzz(func(t *testing.T, v uint16, b []byte) {
		q := &Question{version: Version(v), suites: []uint16{0xc02f, 0x2f, 0x1301}, groups: []Group{23}}
		a, err := q.Read(bytes.NewReader(b))
		require.Equal(t, err != nil, a == nil)
		if a == nil {
			return
		}
		switch q.verdict(a) {
		case accepted:
			require.True(t, a.Hello != nil || a.Hello2 != nil)
		case refused, hungUp:
			require.True(t, a.Hello != nil || a.Alert != nil)
		}
		size := 0
		for _, der := range a.Chain {
			size += len(der)
		}
		require.LessOrEqual(t, size, len(b))
	})
}

// FuzzEnumerate lets a server answer anything at all: an enumeration ends, and claims nothing that wasn't said.
func FuzzEnumerate(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, uint8(2))
	f.Add([]byte{1}, uint8(2))
	f.Add([]byte{0, 0, 0, 0, 0, 3}, uint8(1))
	f.Add([]byte("000000\xfe0"), uint8(1)) // each weak class is accepted, and the last answer is a hang-up
	f.Fuzz(func(t *testing.T, choices []byte, mode uint8) {
		if len(choices) == 0 {
			return
		}
		at, chosen := 0, map[string]bool{}
		o, err := Enumerate(Config{Mode: []Mode{ModeVersions, ModeWeak, ModeFull}[mode%3], Rand: seeded()}, func(questions []*Question) (answers []*Answer, err error) {
			for _, q := range questions {
				choice := choices[at%len(choices)]
				at++
				a := new(Answer)
				switch {
				case choice == 255:
					a = nil
				case choice == 254:
					a.HungUp = true
				case choice == 253:
					a.Alert = &Alert{levelFatal, alertInappropriateFallback}
				case choice == 252:
					return answers, ErrMalformed
				case q.version == SSL2:
					a.Hello2 = &ServerHello2{Suites: suites2}
				default:
					a.Hello = &ServerHello{Version: q.version, Suite: SuiteOf(q.suites[int(choice)%len(q.suites)])}
					chosen[a.Hello.Suite.Name] = true
					if len(q.groups) > 0 {
						a.Hello.Group = q.groups[int(choice)%len(q.groups)]
						a.Exchange = &KeyExchange{Group: a.Hello.Group}
					}
				}
				answers = append(answers, a)
			}
			return answers, nil
		})
		require.NotNil(t, o)
		require.LessOrEqual(t, o.Connections, maxQuestions)
		require.NotNil(t, o.Unanswered())
		if err == nil && o.Mode == ModeWeak {
			require.LessOrEqual(t, o.Connections, 15)
		}
		for _, v := range o.Versions {
			for _, name := range v.Suites {
				require.True(t, chosen[name] || v.Version == "SSLv2", name)
			}
		}
	})
}

// FuzzCheck holds the guard's reading against the composer's: what passes is one hello.
func FuzzCheck(f *testing.F) {
	f.Add(hello2(f).Send)
	for _, v := range versions {
		f.Add(hello(f, v, usual(v), offeredGroups(v)).Send)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		label, err := Check(b)
		require.Equal(t, err != nil, label == "")
		if err == nil && b[0] == recordHandshake {
			_, err := parseHello(b[5:])
			require.NoError(t, err)
		}
	})
}
