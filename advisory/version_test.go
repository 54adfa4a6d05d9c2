package advisory

import (
	"testing"

	deb "github.com/knqyf263/go-deb-version"
	"github.com/stretchr/testify/assert"
)

// inOrder checks that each version is older than the one behind it.
func inOrder(t *testing.T, compare func(a, b string) int, versions ...string) {
	for i, a := range versions {
		for j, b := range versions {
			switch c := compare(a, b); {
			case i < j:
				assert.Negative(t, c, "%s < %s", a, b)
			case i > j:
				assert.Positive(t, c, "%s > %s", a, b)
			default:
				assert.Zero(t, c, "%s = %s", a, b)
			}
		}
	}
}

func TestVersionsOfProjects(t *testing.T) {
	inOrder(t, compareUpstream, "3.9p1", "9.2p1", "9.8", "9.8p1", "9.9p1", "9.9p2", "10.0p1", "10.0p2")         // OpenSSH
	inOrder(t, compareUpstream, "1.3.3", "1.3.3c", "1.3.3d", "1.3.5rc3", "1.3.5", "1.3.5a", "1.3.5e", "1.3.10") // ProFTPD
	inOrder(t, compareUpstream, "4.69", "4.86", "4.86_2", "4.92", "4.92.2", "4.100")                            // Exim
	inOrder(t, compareUpstream, "3.0.28", "3.0.28a", "3.6.25", "4.2.0rc4", "4.2.0", "4.10.2")                   // Samba
	inOrder(t, compareUpstream, "0.9.41", "1.0.0-rc5", "1.0.0", "1.8.0")                                        // FileZilla Server
	inOrder(t, compareUpstream, "0.52", "2022.83", "2024.86")                                                   // Dropbear
	inOrder(t, compareUpstream, "10.0.9600", "10.0.17763", "15.2.3.717", "15.2.3.742")
	assert.Zero(t, compareUpstream("4.86_2", "4.86.2"))
	assert.Zero(t, compareUpstream("2008.08", "2008.8"))
}

func TestVersionsOfDebian(t *testing.T) {
	inOrder(t, dpkg.compare, "9.2p1-2", "1:8.4p1-5", "1:9.2p1-2~bpo11+1", "1:9.2p1-2", "1:9.2p1-2ubuntu1", "1:9.2p1-2+deb12u1",
		"1:9.2p1-2+deb12u2", "1:9.2p1-2+deb12u10", "1:10.0p1-7", "2:1-1")
	inOrder(t, dpkg.compare, "4.13.5+dfsg-2", "4.13.13+dfsg-1~deb11u1", "4.13.13+dfsg-1", "4.15.5~dfsg-0ubuntu5", "4.15.5-1", "4.15.13+dfsg-0ubuntu1")
	inOrder(t, dpkg.compare, "1.3.6c-2", "1.3.7a+dfsg-12", "1.3.7c+dfsg-1", "1.3.8+dfsg-4", "1.3.8.b+dfsg-1", "1.3.8.c+dfsg-4", "1.3.9~dfsg-4")
	assert.Zero(t, dpkg.compare("1.0", "0:1.0-0"))
	assert.Zero(t, dpkg.compare("1.01-1", "1.1-01"))
	for _, v := range []string{"", ":1", "a1", "1 2", "1:", "x:1", "1é"} {
		assert.False(t, dpkg.valid(v), v)
	}
}

// FuzzVersionsOfDebian: any two versions compare as a library of others has it, unless its numbers run over.
func FuzzVersionsOfDebian(f *testing.F) {
	f.Add("1:9.2p1-2+deb12u2", "1:9.2p1-2+deb12u10")
	f.Add("4.13.13+dfsg-1~deb11u1", "4.13.13+dfsg-1")
	f.Add("1.0", "1.0-0")
	f.Add("1-2-3", "1:1-2")
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > 18 || len(b) > 18 || !dpkg.valid(a) || !dpkg.valid(b) {
			return
		}
		x, errA := deb.NewVersion(a)
		y, errB := deb.NewVersion(b)
		if errA != nil || errB != nil {
			return
		}
		c := x.Compare(y)
		assert.Equal(t, c < 0, dpkg.compare(a, b) < 0, "%q, %q", a, b)
		assert.Equal(t, c > 0, dpkg.compare(a, b) > 0, "%q, %q", a, b)
		assert.Equal(t, -dpkg.compare(a, b), dpkg.compare(b, a), "%q, %q", a, b)
	})
}

func TestVersionsOfAlpine(t *testing.T) {
	inOrder(t, alpine.compare, "9.6_p1-r0", "9.7_rc1-r0", "9.7_p1-r0", "9.7_p1-r4", "9.7_p1-r10", "9.8_p1-r0")
	assert.False(t, alpine.valid("next week"))
}

func TestAsPackaged(t *testing.T) {
	for _, test := range []struct{ told, other, want string }{
		{"9.2p1-2+deb12u3", "1:9.2p1-2+deb12u2", "1:9.2p1-2+deb12u3"},
		{"4.22.8-0+deb13u2", "2:4.22.8+dfsg-0+deb13u1", "2:4.22.8+dfsg-0+deb13u2"},
		{"4.22.8-0+deb13u2", "2:4.22.10+dfsg-0+deb13u1", "2:4.22.8-0+deb13u2"},
		{"4.13.17-0ubuntu1.20.04.1", "2:4.13.17~dfsg-0ubuntu0.21.04.1", "2:4.13.17~dfsg-0ubuntu1.20.04.1"},
		{"3.4.1-5", "3.4.1+ds1-5+deb13u1", "3.4.1+ds1-5"},
		{"2:4.22.8+dfsg-1", "2:4.22.8+dfsg-0", "2:4.22.8+dfsg-1"},
		{"4.96-15", "4.96-15+deb12u1", "4.96-15"},
		{"9.7_p1-r3", "9.7_p1-r4", "9.7_p1-r3"},
	} {
		assert.Equal(t, test.want, asPackaged(test.told, test.other), test.told)
	}
}
