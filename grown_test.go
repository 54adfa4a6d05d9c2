package handclasp_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/finding"
)

// edited returns the record as it had been if something else, or nothing, stood at a place of its document; false if there is no
// such place, or no such result.
func edited(r finding.Record, pointer string, to any) (finding.Record, bool) {
	data, err := r.AppendJSON(nil)
	if err != nil {
		return r, false
	}
	var document any
	if err := json.Unmarshal(data, &document); err != nil {
		return r, false
	}
	if document = put(document, strings.Split(pointer, "/")[1:], to); document == nil {
		return r, false
	}
	if data, err = json.Marshal(document); err != nil {
		return r, false
	}
	if r, err = finding.DecodeRecord(data, handclasp.Probers()...); err != nil {
		return r, false
	}
	return finding.NewRecord(r.Result, handclasp.Rules()), true
}

// put returns the value with another one at a path, nil for none; nil if the path leads nowhere.
func put(in any, path []string, to any) any {
	if len(path) == 0 {
		return to
	}
	switch in := in.(type) {
	case map[string]any:
		inner, there := in[path[0]]
		switch is := put(inner, path[1:], to); {
		case !there:
			return nil
		case is != nil:
			in[path[0]] = is
			return in
		case len(path) == 1:
			in[path[0]] = nil
			return in
		}
	case []any:
		i, err := strconv.Atoi(path[0])
		if err != nil || i >= len(in) {
			return nil
		}
		switch is := put(in[i], path[1:], to); {
		case is != nil:
			in[i] = is
			return in
		case len(path) == 1:
			return slices.Delete(in, i, i+1)
		}
	}
	return nil
}

// lesser returns a record that lacks one of the things that a finding is about, and nothing more than what tells it.
func lesser(r finding.Record, f finding.Finding) (finding.Record, bool) {
	for _, item := range f.Items {
		for at := item.Basis; at != "" && at != "/evidence"; at = at[:strings.LastIndexByte(at, '/')] {
			less, ok := edited(r, at, nil)
			if !ok {
				continue
			}
			is := found(less, f.ID)
			if is != nil && len(is.Items) > 0 && len(is.Items) < len(f.Items) && !slices.ContainsFunc(is.Items, func(i finding.Item) bool { return !slices.Contains(values(f.Items), i.Value) }) {
				return less, true
			}
		}
	}
	return r, false
}

type object = map[string]any

func chain(certificates ...object) (list []any) {
	for _, c := range certificates {
		whole := object{
			"subject": "CN=a", "issuer": "CN=b", "serial": "1", "dns_names": []any{"a.example.net"}, "ip_addresses": []any{}, "not_before": "2026-01-01T00:00:00Z",
			"not_after": "2999-01-01T00:00:00Z", "key_type": "RSA", "key_bits": 4096, "signature_algorithm": "SHA256-RSA", "sha256": "", "key_sha256": "",
			"key_usage": nil, "must_staple": "", "scts": "", "self_signed": false,
		}
		for name, value := range c {
			whole[name] = value
		}
		list = append(list, whole)
	}
	return list
}

// A growth is what stands at a place of a result, and what stands there then, and what stands elsewhere in both.
type growth struct {
	at      string
	was, is any
	with    map[string]any
}

// growths make the findings of rules grow of which recordings show one thing at a time. What is one thing by its nature, such as
// an address, becomes another.
func growths() map[string]growth {
	list := func(at string, values ...any) growth { return growth{at: at, was: values[:1], is: values} }
	other := func(at string, was, is any) growth { return growth{at: at, was: was, is: is} }
	dir := func(name string) object {
		return object{"name": name, "type": "directory", "modified": "", "permissions": "", "writable": "yes"}
	}
	names := func(names ...any) []any { return chain(object{"dns_names": names}) }
	key := func(exponent int64) []any { // with a factor that is found at once
		blob := []byte{}
		for _, part := range [][]byte{[]byte("ssh-rsa"), big.NewInt(exponent).Bytes(), new(big.Int).Exp(big.NewInt(3), big.NewInt(1300), nil).Bytes()} {
			blob = append(binary.BigEndian.AppendUint32(blob, uint32(len(part))), part...)
		}
		return []any{object{"type": "ssh-rsa", "bits": 2061, "key": blob}}
	}
	const algorithms, certificates = "/evidence/algorithms/", "/evidence/tls/chain"
	ciphers := []any{"chacha20-poly1305@openssh.com", "aes128-cbc"}
	return map[string]growth{
		"ftp.anonymous-writable":   list("/evidence/anonymous/listing/entries", dir("a"), dir("b")),
		"ftp.passive-address-leak": other("/evidence/anonymous/passive_address", "10.0.0.5", "10.0.0.6"),
		"rsync.weak-auth-digest":   list("/evidence/digests", "md4", "md5"),
		"ssh.weak-kex":             list(algorithms+"kex", "rsa1024-sha1", "diffie-hellman-group1-sha1"),
		"ssh.weak-hostkey-alg":     list(algorithms+"host_key", "ssh-rsa", "ssh-dss"),
		"ssh.weak-cipher":          list(algorithms+"ciphers_client_to_server", "3des-cbc", "arcfour"),
		"ssh.weak-mac":             list(algorithms+"macs_client_to_server", "hmac-md5", "hmac-sha1-96"),
		"ssh.terrapin": {"/evidence/algorithms", object{"ciphers_client_to_server": ciphers[:1]},
			object{"ciphers_client_to_server": ciphers, "macs_client_to_server": []any{"hmac-sha2-256-etm@openssh.com"}}, object{"/evidence/strict_kex": "no"}},
		"ssh.small-hostkey":       other("/evidence/host_keys", []any{object{"type": "ssh-rsa", "bits": 1536}}, []any{object{"type": "ssh-rsa", "bits": 1024}}),
		"ssh.weak-gex":            other("/evidence/gex", []any{object{"asked": 1024, "bits": 1536}}, []any{object{"asked": 1024, "bits": 1024}}),
		"tls.cert-expired":        other(certificates, chain(object{"not_after": "2026-02-01T00:00:00Z"}), chain(object{"not_after": "2026-02-02T00:00:00Z"})),
		"tls.cert-wildcard":       other(certificates, names("*.a.example.net"), names("*.a.example.net", "*.b.example.net")),
		"tls.cert-internal-names": other(certificates, names("files"), names("files", "backup")),
		"tls.weak-key":            list(certificates, chain(object{"key_bits": 1024}, object{"key_bits": 512})...),
		"tls.weak-signature":      list(certificates, chain(object{"signature_algorithm": "SHA1-RSA"}, object{"signature_algorithm": "MD5-RSA"})...),
		"tls.weak-dh":             list("/evidence/tls/offers/dh", object{"bits": 1024}, object{"bits": 768}),
		"tls.common-dh-prime":     list("/evidence/tls/offers/dh", object{"bits": 1024, "shared": "RFC 2409 group 2"}, object{"bits": 768, "shared": "RFC 2409 group 1"}),
		"key.weak":                other("/evidence/host_keys", key(65537), key(1)),
	}
}

// itemless are rules that no recording shows and whose findings are about the endpoint itself.
var itemless = map[string]bool{
	"smb.guest": true, "ssh.none-accepted": true, "ssh.password-auth": true, "starttls.injection": true, "tls.cert-mismatch": true,
	"tls.cert-expires-soon": true, "tls.cert-long-lived": true, "tls.sslv2": true, "tls.sslv3": true, "tls.export-suites": true, "tls.rc4": true,
	"tls.3des": true, "tls.compression": true, "tls.insecure-renegotiation": true,
}

// The findings of each rule that are about things are changed when there is one more of these, whatever the rule.
func TestWhatHasGrownIsChanged(t *testing.T) {
	all, err := recordings()
	require.NoError(t, err)
	byHand := growths()
	o := &finding.DiffOptions{Rules: handclasp.Rules()}
	for _, rule := range handclasp.Rules() {
		t.Run(rule.ID, func(t *testing.T) {
			shown, items := false, false
			var was, is *finding.Record
			for _, f := range all {
				there := found(f.record, rule.ID)
				shown, items = shown || there != nil, items || there != nil && len(there.Items) > 0
				if there == nil || was != nil || !f.whole() {
					continue
				}
				if less, ok := lesser(f.record, *there); ok {
					was, is = &less, &f.record
				}
			}
			growth, listed := byHand[rule.ID]
			for _, f := range all {
				if was != nil || !listed || !f.whole() {
					continue
				}
				less, more := f.record, f.record
				ok := true
				for at, value := range growth.with {
					less, ok = edited(less, at, value)
					more = less
				}
				less, first := edited(less, growth.at, growth.was)
				more, then := edited(more, growth.at, growth.is)
				if ok && first && then && found(less, rule.ID) != nil && found(more, rule.ID) != nil {
					was, is = &less, &more
				}
			}
			if was == nil {
				require.False(t, items, "no recording shows it with more than another: write down what makes it grow")
				require.False(t, listed, "what is written down doesn't make it grow")
				require.True(t, shown || itemless[rule.ID], "no recording shows it: write down what makes it grow, or that it has no items")
				return
			}
			require.False(t, itemless[rule.ID], "it has items")
			changes := finding.Diff(entries(*was), entries(*is), o)
			c := change(changes, rule.ID)
			require.Equal(t, finding.Changed, c.Status, fmt.Sprint(values(found(*was, rule.ID).Items), values(found(*is, rule.ID).Items)))
			require.NotEmpty(t, c.Added)
			require.True(t, c.Alarming(c.Finding.Severity), "as if it were new")
			back := change(finding.Diff(entries(*is), entries(*was), o), rule.ID)
			require.Equal(t, finding.Changed, back.Status)
			require.Equal(t, values(c.Added), values(back.Removed))
		})
	}
}
