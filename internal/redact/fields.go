package redact

import (
	"net/netip"
	"reflect"
	"strings"
	"time"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// spoken are the fields that hold words of protocols. Those of words.txt are kept in them; in all others nothing is.
var spoken = fields(`
	probe.Reply Lines
	probe.TLS Mode Version CipherSuite KeyExchange ALPN LeftoverPlaintext Error TrustError Versions
	probe.Certificate KeyType SignatureAlgorithm KeyUsage
	probe.TLSVersionOffer Version Suite Suites Groups
	probe.TLSClass Version Suite
	probe.TLSDHGroup Shared Version Suite
	probe.TLSOffers PostQuantumGroup
	probe.NTLM OSVersion
	probe.Software Vendor Product Version CPE Source Distribution PackageRevision Hint
	ftp.Evidence Features System FeaturesAfterTLS
	ftp.Anonymous ListingError
	ftp.Entry Type Modified Permissions
	smtp.Evidence Extensions AuthMechanisms ExtensionsAfterTLS AuthMechanismsAfterTLS
	nntp.Evidence CapabilitiesFrom Capabilities CapabilitiesAfterModeReader Implementation AuthMethods SASLMechanisms
	nntp.Evidence CapabilitiesAfterTLS AuthMethodsAfterTLS SASLMechanismsAfterTLS
	nntp.Group Status
	rsync.Evidence Greeting Digests AbsentReply Error
	rsync.Module Reply
	netbios.Name Suffix Kind NodeType
	netbios.Evidence Session SessionError
	smb.Evidence Transport NegotiateStatus Dialects DialectsRefused PreferredDialect Capabilities AuthMechanisms PreauthHash Ciphers
	smb.Evidence Compression SigningAlgorithms SessionSetupStatus
	smb.SessionRequest Reply Error
	smb.Negotiation Dialect Status Capabilities
	smb.SMB1 Dialect Dialects NativeOS NativeLM
	smb.AnonymousSession NegotiateStatus Status Flags TreeStatus ListStatus
	smb.Share Type
	ssh.Evidence Identification ProtocolVersion Software Comment GreetingLines AuthMethods TransferHint
	ssh.Algorithms Kex HostKey CiphersClientToServer CiphersServerToClient MACsClientToServer MACsServerToClient
	ssh.Algorithms Compression CompressionClientToServer LanguagesClientToServer LanguagesServerToClient
	ssh.HostKey Type
	ssh.MissingHostKey Type
	detect.Unknown Service Greeting
	finding.Header Version Protocols Shard Knobs
	finding.Footer Shard
`)

func fields(table string) map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(table) {
		words := strings.Fields(line)
		for i := 1; i < len(words); i++ {
			all[words[0]+"."+words[i]] = true
		}
	}
	return all
}

// struc redacts what a pointer to a struct points at.
func (r *Redactor) struc(pointer any) { r.value(reflect.ValueOf(pointer).Elem(), false) }

func (r *Redactor) value(v reflect.Value, keep bool) {
	switch known := v.Interface().(type) {
	case time.Time:
		return
	case netip.Addr:
		v.Set(reflect.ValueOf(r.addr(known)))
		return
	case netip.AddrPort:
		v.Set(reflect.ValueOf(r.addrPort(known)))
		return
	case []byte:
		v.SetBytes(r.bytes(known, keep))
		return
	}
	switch v.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
	case reflect.String:
		v.SetString(r.text(v, keep))
	case reflect.Pointer:
		if !v.IsNil() {
			r.value(v.Elem(), keep)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			r.value(v.Index(i), keep)
		}
	case reflect.Map:
		r.members(v, keep)
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() {
				v.SetZero() // its own methods know what is in it
				return
			}
			r.value(v.Field(i), spoken[v.Type().String()+"."+f.Name])
		}
	default:
		v.SetZero()
	}
}

// text redacts a string. A type of its own has a closed set of values.
func (r *Redactor) text(v reflect.Value, keep bool) string {
	s := v.String()
	switch {
	case v.Type() != reflect.TypeFor[string]():
		return closed(r, s)
	case keep:
		return r.spoken(s)
	}
	return r.name(s)
}

func (r *Redactor) bytes(b []byte, keep bool) []byte {
	if !keep || !isText(b) {
		return nil
	}
	return []byte(r.spoken(string(b)))
}

// members redacts a map's keys as its values.
func (r *Redactor) members(v reflect.Value, keep bool) {
	if v.IsNil() {
		return
	}
	redacted := reflect.MakeMap(v.Type())
	for _, key := range v.MapKeys() {
		k, value := reflect.New(key.Type()).Elem(), reflect.New(v.Type().Elem()).Elem()
		k.Set(key)
		value.Set(v.MapIndex(key))
		r.value(k, keep)
		r.value(value, keep)
		redacted.SetMapIndex(k, value)
	}
	v.Set(redacted)
}

// fieldNames are the names that a pointer into a result may have in it.
func fieldNames(probers []probe.Prober) map[string]bool {
	names := map[string]bool{"evidence": true, "target": true, "software": true, "findings": true, "transcript": true, "outcome": true}
	seen := map[reflect.Type]bool{}
	var add func(t reflect.Type)
	add = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			add(t.Elem())
		case reflect.Struct:
			if seen[t] {
				return
			}
			seen[t] = true
			for i := range t.NumField() {
				if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "" {
					names[name] = true
				}
				add(t.Field(i).Type)
			}
		}
	}
	add(reflect.TypeFor[probe.Target]())
	add(reflect.TypeFor[probe.Software]())
	add(reflect.TypeFor[finding.Finding]())
	for _, p := range probers {
		if s := p.Spec(); s.Evidence != nil {
			add(reflect.TypeOf(s.Evidence()))
		}
	}
	return names
}
