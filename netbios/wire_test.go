package netbios

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/nbt"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/probe/probetest"
)

func name(text string, suffix byte) nbt.Name { return nbt.Name([]byte(padded(text, suffix))) }

func learned(whole bool, names ...nbt.StatusName) *Evidence {
	e := new(Evidence)
	e.learn(&nbt.Status{Names: names, Count: len(names)}, whole)
	return e
}

const (
	own   = nbt.FlagActive
	group = nbt.FlagActive | nbt.FlagGroup
)

func TestLearn(t *testing.T) {
	e := learned(true)
	require.Equal(t, probe.Unknown, e.DomainController)
	require.Empty(t, e.Computer)

	e = learned(true, nbt.StatusName{Name: name("FILER", 0x20), Flags: own})
	require.Equal(t, "FILER", e.Computer, "the file server's name will do")
	require.Equal(t, probe.No, e.DomainController)

	e = learned(false, nbt.StatusName{Name: name("FILER", 0), Flags: own})
	require.Equal(t, probe.Unknown, e.DomainController)

	e = learned(false, nbt.StatusName{Name: name("CORP", 0x1c), Flags: own})
	require.Equal(t, probe.Yes, e.DomainController, "Samba tells the group's name as its own")

	e = learned(true, nbt.StatusName{Name: name("CORP", 0x1c), Flags: group | nbt.FlagDeregister})
	require.Equal(t, probe.No, e.DomainController)

	e = learned(true, nbt.StatusName{Name: name("FILER", 0), Flags: own}, nbt.StatusName{Name: name("SECOND", 0), Flags: own},
		nbt.StatusName{Name: name("SECOND", 3), Flags: own}, nbt.StatusName{Name: name("FILER$", 3), Flags: own})
	require.Empty(t, e.User, "an alias is nobody who is logged in")
}

func TestKinds(t *testing.T) {
	for suffix, want := range kinds {
		require.Equal(t, want.unique, describe(nbt.StatusName{Name: name("X", suffix), Flags: own}).Kind)
		require.Equal(t, want.group, describe(nbt.StatusName{Name: name("X", suffix), Flags: group}).Kind)
	}
	for flags, want := range map[uint16]string{0: "B", 0x2000: "P", 0x4000: "M", 0x6000: "H"} {
		require.Equal(t, want, describe(nbt.StatusName{Flags: flags}).NodeType)
	}
}

func TestMAC(t *testing.T) {
	require.Equal(t, "00:00:5e:00:53:07", mac([]byte("\x00\x00\x5e\x00\x53\x07")))
	require.Empty(t, mac(make([]byte, 6)))
	require.Empty(t, mac(nil))
}

func TestNotation(t *testing.T) {
	require.Equal(t, "FILER<20>", notation(name("FILER", 0x20)))
}

// FuzzNames holds what is drawn from a reply, and the guard, to what must hold for any.
func FuzzNames(f *testing.F) {
	probetest.Seeds(f, "testdata/transcripts/*.txt")
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := nbt.ParseReply(b)
		if err != nil {
			return
		}
		table, err := nbt.ParseStatus(r.Data)
		e := new(Evidence)
		e.learn(table, err == nil)
		require.Len(t, e.Names, len(table.Names))
		require.GreaterOrEqual(t, e.NameCount, len(e.Names))
		for _, n := range e.Names {
			require.Len(t, n.Suffix, 2)
			require.LessOrEqual(t, len(n.Name), 3*15)
		}
		if err != nil {
			require.NotEqual(t, probe.No, e.DomainController)
		}
		asked := nbt.AddressQuery(nil, 1, known(table))
		_, err = guard(probe.LevelHandshake, asked)
		require.NoError(t, err, "a host's name never makes a probe fail")
		if n, ok := table.FileServer(); ok && n.Printable() {
			_, err = guard(probe.LevelHandshake, nbt.AppendSessionRequest(nil, n, name("HANDCLASP", 0)))
			require.NoError(t, err, "a host's name never makes a probe fail")
		}
	})
}
