package ssh

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/handclasp/handclasp/probe"
)

// ours is the KEXINIT of a client, changed.
func ours(change ...func(*kexInit)) []byte {
	none := []string{"none"}
	k := kexInit{
		Kex: offeredKex, HostKey: offeredHostKeys, CiphersClientToServer: offeredCiphers, CiphersServerToClient: offeredCiphers,
		MACsClientToServer: offeredMACs, MACsServerToClient: offeredMACs,
		CompressionClientToServer: none, CompressionServerToClient: none,
	}
	for _, c := range change {
		c(&k)
	}
	return packet(ssh.Marshal(&k))
}

func words(number byte, list ...uint32) []byte {
	payload := []byte{number}
	for _, w := range list {
		payload = binary.BigEndian.AppendUint32(payload, w)
	}
	return packet(payload)
}

func value(number byte, size int) []byte {
	return packet(append(binary.BigEndian.AppendUint32([]byte{number}, uint32(size)), make([]byte, size)...))
}

var (
	greeting   = []byte("SSH-2.0-handclasp\r\n")
	gexRequest = words(sendGexRequest, 2048, 2048, 8192)
	newKeys    = packet([]byte{sendNewKeys})
	cipher     = bytes.Repeat([]byte{0xa5}, 84)
	// conversations are all that is ever said, but for sizes.
	inOne   = [][]byte{greeting, ours(), value(sendDHInit, 32), newKeys, cipher, cipher}
	inGroup = [][]byte{greeting, ours(), gexRequest, value(sendGexInit, 257), newKeys, cipher, cipher}
)

// passes returns how many messages of a conversation the guard lets pass.
func passes(l probe.Level, conversation [][]byte) (n int) {
	guard := Prober{}.newGuard(probe.Contact{})
	for _, plain := range conversation {
		if label, err := guard(l, plain); err != nil || label == "" {
			return n
		}
		n++
	}
	return n
}

func TestGuardAllows(t *testing.T) {
	require.Equal(t, len(inOne), passes(probe.LevelAnonymous, inOne))
	require.Equal(t, len(inGroup), passes(probe.LevelAnonymous, inGroup))
	for _, size := range []int{32, 65, 133, 128, 257, 1025, 1216} {
		require.Equal(t, 3, passes(probe.LevelHandshake, [][]byte{greeting, ours(), value(sendDHInit, size)}))
	}
	guard := Prober{}.newGuard(probe.Contact{})
	for i, want := range []string{"identification", "KEXINIT", "KEXDH_INIT or KEX_ECDH_INIT", "NEWKEYS", "ciphertext", "ciphertext"} {
		label, err := guard(probe.LevelAnonymous, inOne[i])
		require.NoError(t, err)
		require.Equal(t, want, label)
	}
}

// Below LevelAnonymous nothing is said behind the key exchange, and nothing at all at the greeting.
func TestGuardKnowsTheLevel(t *testing.T) {
	require.Equal(t, 3, passes(probe.LevelHandshake, inOne))
	require.Equal(t, 4, passes(probe.LevelHandshake, inGroup))
	require.Zero(t, passes(probe.LevelGreeting, inOne))
	// The level is asked at each message.
	guard := Prober{}.newGuard(probe.Contact{})
	for _, plain := range inOne[:4] {
		_, err := guard(probe.LevelAnonymous, plain)
		require.NoError(t, err)
	}
	_, err := guard(probe.LevelHandshake, cipher)
	require.Error(t, err)
}

// Each message has one place: no other may stand there, and none may be left out or said again.
func TestGuardKnowsTheOrder(t *testing.T) {
	for _, conversation := range [][][]byte{inOne, inGroup} {
		for at := range conversation {
			for _, other := range slices.Concat(inOne[:len(inOne)-1], inGroup[:len(inGroup)-1]) {
				if bytes.Equal(other, conversation[at]) {
					continue
				}
				if at == 2 && (bytes.Equal(other, inOne[2]) || bytes.Equal(other, gexRequest)) {
					continue // either way to exchange keys
				}
				if conversation[at][0] == 0xa5 && len(other) <= cipherSize {
					continue // ciphertext may look like anything
				}
				changed := slices.Concat(conversation[:at], [][]byte{other})
				require.Equal(t, at, passes(probe.LevelAnonymous, changed), "%x in the place of message %d", other[:min(len(other), 8)], at)
			}
		}
		require.Equal(t, len(conversation), passes(probe.LevelAnonymous, append(slices.Clone(conversation), cipher)), "a third message of ciphertext")
	}
}

// forbidden are messages that are refused wherever the next message may be read.
var forbidden = map[string][]byte{
	"nothing":                       {},
	"half a greeting":               []byte("SSH-2.0-handclasp"),
	"a greeting with LF":            []byte("SSH-2.0-handclasp\n"),
	"another greeting":              []byte("SSH-2.0-OpenSSH_9.2p1\r\n"),
	"two greetings":                 append(slices.Clone(greeting), greeting...),
	"a greeting and lists":          append(slices.Clone(greeting), ours()...),
	"text":                          []byte("GET / HTTP/1.1\r\n\r\n"),
	"a password in the clear":       packet([]byte("\x32\x00\x00\x00\x04root\x00\x00\x00\x0essh-connection\x00\x00\x00\x08password\x00\x00\x00\x00\x04root")),
	"none in the clear":             packet([]byte("\x32\x00\x00\x00\x04root\x00\x00\x00\x0essh-connection\x00\x00\x00\x04none")),
	"a service in the clear":        packet([]byte("\x05\x00\x00\x00\x0cssh-userauth")),
	"a channel in the clear":        packet([]byte("\x5a\x00\x00\x00\x07session")),
	"a global request":              packet([]byte("\x50\x00\x00\x00\x01x\x01")),
	"disconnect":                    words(1, 11, 0, 0),
	"ignore":                        packet([]byte("\x02\x00\x00\x00\x01x")),
	"debug":                         packet([]byte("\x04\x01\x00\x00\x00\x00\x00\x00\x00\x00")),
	"unimplemented":                 words(3, 0),
	"extensions":                    words(7, 0),
	"the old group request":         words(sendDHInit, 2048),
	"an empty payload":              packet(nil),
	"a packet and a byte":           append(slices.Clone(newKeys), 0),
	"a packet and eight bytes":      append(slices.Clone(newKeys), make([]byte, 8)...),
	"two packets":                   append(slices.Clone(newKeys), newKeys...),
	"NEWKEYS with content":          packet([]byte{sendNewKeys, 0}),
	"lists that compress":           ours(func(k *kexInit) { k.CompressionClientToServer = []string{"zlib"} }),
	"lists that may compress":       ours(func(k *kexInit) { k.CompressionServerToClient = []string{"none", "zlib"} }),
	"lists without compression":     ours(func(k *kexInit) { k.CompressionServerToClient = nil }),
	"lists with a language":         ours(func(k *kexInit) { k.LanguagesClientToServer = []string{"en"} }),
	"lists with a guess":            ours(func(k *kexInit) { k.FirstKexFollows = true }),
	"lists with something reserved": ours(func(k *kexInit) { k.Reserved = 1 }),
	"lists with a space":            ours(func(k *kexInit) { k.Kex = []string{"a b"} }),
	"lists and more":                packet(append(ours()[5:len(ours())-int(ours()[4])], 0)),
	"a short public value":          value(sendDHInit, 31),
	"a long public value":           value(sendDHInit, 1217),
	"two public values":             packet(append(value(sendDHInit, 32)[5:5+37], make([]byte, 4)...)),
	"a public value cut off":        packet(value(sendDHInit, 32)[5 : 5+36]),
	"a small group":                 words(sendGexRequest, 1024, 2048, 8192),
	"a huge group":                  words(sendGexRequest, 2048, 2048, 16384),
	"groups out of order":           words(sendGexRequest, 4096, 2048, 8192),
	"two sizes of groups":           words(sendGexRequest, 2048, 8192),
	"long ciphertext":               make([]byte, cipherSize+1),
}

func TestGuardRefuses(t *testing.T) {
	for name, plain := range forbidden {
		for _, conversation := range [][][]byte{inOne, inGroup} {
			for at, due := range conversation {
				if due[0] == 0xa5 && len(plain) > 0 && len(plain) <= cipherSize {
					continue // ciphertext may look like anything
				}
				changed := slices.Concat(conversation[:at], [][]byte{plain})
				require.Equal(t, at, passes(probe.LevelAnonymous, changed), "%s in the place of message %d", name, at)
			}
		}
	}
}

// What was refused leaves no trace: the conversation goes on where it was.
func TestGuardForgetsWhatItRefused(t *testing.T) {
	guard := Prober{}.newGuard(probe.Contact{})
	for _, plain := range inOne {
		_, err := guard(probe.LevelAnonymous, make([]byte, 4096))
		require.Error(t, err)
		_, err = guard(probe.LevelAnonymous, plain)
		require.NoError(t, err)
	}
}

// Each connection begins anew.
func TestGuardIsPerConnection(t *testing.T) {
	one, two := Prober{}.Spec().NewGuard(probe.Contact{}), Prober{}.Spec().NewGuard(probe.Contact{})
	for _, plain := range inOne {
		_, err := one(probe.LevelAnonymous, plain)
		require.NoError(t, err)
	}
	_, err := two(probe.LevelAnonymous, cipher)
	require.Error(t, err)
}

// Whatever is to be sent, in the clear only known messages pass, and of ciphertext no more than two.
func FuzzGuard(f *testing.F) {
	for _, conversation := range [][][]byte{inOne, inGroup} {
		for at, plain := range conversation {
			f.Add(int8(probe.LevelAnonymous), uint8(at), plain)
		}
	}
	for _, plain := range forbidden {
		f.Add(int8(probe.LevelAnonymous), uint8(2), plain)
	}
	f.Fuzz(func(t *testing.T, level int8, at uint8, plain []byte) {
		l := probe.Level(level)
		guard := Prober{}.newGuard(probe.Contact{})
		for _, before := range inGroup[:min(int(at), len(inGroup))] {
			if _, err := guard(l, before); err != nil {
				require.True(t, l < probe.LevelAnonymous)
				break
			}
		}
		label, err := guard(l, plain)
		if err != nil {
			return
		}
		require.GreaterOrEqual(t, l, probe.LevelHandshake)
		switch label {
		case "identification":
			require.Equal(t, greeting, plain)
		case "KEXINIT":
			require.NotNil(t, firstKexInit(plain))
		case "KEXDH_INIT or KEX_ECDH_INIT", "KEX_DH_GEX_REQUEST", "KEX_DH_GEX_INIT":
			_, rest, err := cutPacket(plain)
			require.NoError(t, err)
			require.Empty(t, rest)
		case "NEWKEYS", "ciphertext":
			require.GreaterOrEqual(t, l, probe.LevelAnonymous)
			require.LessOrEqual(t, len(plain), cipherSize+256)
		default:
			t.Fatal(label)
		}
	})
}
