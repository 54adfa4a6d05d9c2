package ssh

import (
	"fmt"
	"slices"
	"strings"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// Rules judge the evidence of this package.
var Rules = finding.Of("ssh", rules())

func rules() []finding.Rule {
	return []finding.Rule{
		{
			ID: "ssh.exposed", Title: "'SSH' port open", Severity: finding.Low,
			Summary:     "An SSH server greets anybody from the network; whether it gives a shell, or SFTP, SCP and rsync, can't be known before a login.",
			Remediation: "Let the firewall admit the addresses that log in, or put the server behind a VPN: ListenAddress in OpenSSH's sshd_config, -p ADDRESS:PORT for Dropbear.",
			References:  []string{"RFC 4253 section 4.2"},
			Check:       finding.On(exposed),
		},
		{
			ID: "ssh.v1", Title: "SSH protocol 1", Severity: finding.High,
			Summary:     "The server speaks version 1 of the protocol, in which a man in the middle can read, change and take over sessions.",
			Remediation: "OpenSSH before 7.4: Protocol 2 in sshd_config. Cisco IOS: ip ssh version 2. Replace servers that know version 1 only.",
			CWE:         []int{327},
			References:  []string{"RFC 4253 section 5.1", "CVE-2001-1473"},
			Check:       finding.On(version1),
		},
		{
			ID: "ssh.weak-kex", Title: "weak key exchange", Severity: finding.Medium,
			Summary:     "The server offers key exchanges that should no longer be used: over SHA-1, or in a group of 1024 bits.",
			Remediation: "OpenSSH: remove them by KexAlgorithms in sshd_config, or leave it at its default. Dropbear: DROPBEAR_DH_GROUP1 0 in localoptions.h. Cisco IOS: ip ssh server algorithm kex.",
			CWE:         []int{327},
			References:  []string{"RFC 9142 section 4"},
			Check:       onAlgorithms(weakKexes),
		},
		{
			ID: "ssh.weak-hostkey-alg", Title: "weak host key algorithm", Severity: finding.Medium,
			Summary:     "The server offers to sign with SHA-1, by ssh-rsa or ssh-dss.",
			Remediation: "OpenSSH: remove ssh-rsa and ssh-dss from HostKeyAlgorithms in sshd_config (8.8 and later don't have ssh-rsa by default), and the HostKey line of a DSA key. Dropbear: DROPBEAR_RSA_SHA1 0 and DROPBEAR_DSS 0 in localoptions.h.",
			CWE:         []int{327},
			References:  []string{"RFC 8332 section 5.1", "RFC 9142 section 1.1"},
			Check:       onAlgorithms(weakHostKeys),
		},
		{
			ID: "ssh.weak-cipher", Title: "weak cipher", Severity: finding.Low,
			Summary:     "The server offers RC4, ciphers in CBC mode, or none.",
			Remediation: "OpenSSH: remove them by Ciphers in sshd_config, or leave it at its default. Dropbear: DROPBEAR_ENABLE_CBC_MODE 0 in localoptions.h. Cisco IOS: ip ssh server algorithm encryption.",
			CWE:         []int{327},
			References:  []string{"RFC 8758", "RFC 4251 section 9.3.1", "CVE-2008-5161"},
			Check:       onAlgorithms(weakCiphers),
		},
		{
			ID: "ssh.weak-mac", Title: "weak MAC", Severity: finding.Low,
			Summary:     "The server offers message authentication by MD5, by tags of 96 bits, or none.",
			Remediation: "OpenSSH: remove them by MACs in sshd_config, or leave it at its default. Dropbear: DROPBEAR_SHA1_96_HMAC 0 in localoptions.h. Cisco IOS: ip ssh server algorithm mac.",
			CWE:         []int{327},
			References:  []string{"RFC 6151 section 2.3", "RFC 6668"},
			Check:       onAlgorithms(weakMACs),
		},
		{
			ID: "ssh.small-hostkey", Title: "RSA key < 2048", Severity: finding.Low,
			Summary:     "The server has an RSA host key of less than 2048 bits, which can be factored to take the server's place.",
			Remediation: "Make a new one: ssh-keygen -t rsa -b 3072 -f /etc/ssh/ssh_host_rsa_key, or rely on Ed25519; dropbearkey -t rsa -s 3072; on Cisco IOS crypto key generate rsa modulus 3072. Tell the clients, which know the old one.",
			CWE:         []int{326},
			References:  []string{"RFC 8332 section 5.1", "NIST SP 800-131A"},
			Check:       finding.On(smallHostKey),
		},
		{
			ID: "ssh.terrapin", Title: "CVE-2023-48795", Severity: finding.Medium,
			Summary:     "The server offers ciphers of which a man in the middle can cut off the first messages (Terrapin), and not the strict key exchange that prevents it.",
			Remediation: "Update: OpenSSH 9.6, Dropbear 2024.84, libssh 0.10.6, or a distribution's backport. Until then OpenSSH: Ciphers -chacha20-poly1305@openssh.com,*-cbc in sshd_config.",
			CWE:         []int{354},
			References:  []string{"CVE-2023-48795", "OpenSSH PROTOCOL section 1.10"},
			Check:       finding.On(terrapin),
		},
		{
			ID: "ssh.password-auth", Title: "passwords accepted", Severity: finding.Medium,
			Summary:     "The server lets clients log in by password alone, which invites guessing.",
			Remediation: "OpenSSH: PasswordAuthentication no and KbdInteractiveAuthentication no in sshd_config once everybody has a key, or a second factor by AuthenticationMethods. Dropbear: -s.",
			CWE:         []int{308},
			References:  []string{"RFC 4252 section 8", "NIST IR 7966"},
			Check:       finding.On(passwords),
		},
		{
			ID: "ssh.no-post-quantum", Title: "no post-quantum key exchange", Severity: finding.Info,
			Summary:     "The server offers no key exchange that withstands a quantum computer: sessions recorded today could be read when there is one.",
			Remediation: "OpenSSH 8.5 and later has sntrup761x25519-sha512@openssh.com, 9.9 and later mlkem768x25519-sha256: update, and leave KexAlgorithms in sshd_config at its default. Dropbear 2025.87 and later has both.",
			References:  []string{"draft-ietf-sshm-mlkem-hybrid-kex"},
			Check:       onAlgorithms(noPostQuantum),
		},
		{
			ID: "ssh.none-accepted", Title: "lets anybody in without a login", Severity: finding.Critical,
			Summary:     "The server answers a client that has no credential at all that it is logged in; whether that gives a shell wasn't tried.",
			Remediation: "Take the server off the network. OpenSSH: PermitEmptyPasswords no in sshd_config and a password for each account; AsyncSSH, Twisted, Erlang, x/crypto/ssh: let the program refuse who shows no credential (NoClientAuth, no_auth_needed). On a device: update the firmware, or set the administrator's password.",
			CWE:         []int{306},
			References:  []string{"RFC 4252 section 5.2"},
			Needs:       finding.Needs{Level: probe.LevelAnonymous},
			Check: finding.On(func(e *Evidence) finding.Answer {
				return finding.When(e.NoneAccepted, probe.Yes, finding.Fires(finding.Seen, "/evidence/none_accepted"))
			}),
		},
		{
			ID: "ssh.weak-gex", Title: "group exchange gives small groups", Severity: finding.High,
			Varies:      []finding.Severity{finding.High, finding.Medium},
			Summary:     "The server gives clients a group of less than 2048 bits to exchange keys in: sessions in one of 1024 bits or less can be read by who has computed it once.",
			Remediation: "OpenSSH before 7.9, and servers with its moduli file: awk '$5 >= 3071' /etc/ssh/moduli > m && mv m /etc/ssh/moduli. ProFTPD's mod_sftp: the same of its TLS moduli file (SFTPDHParamFile). Or leave diffie-hellman-group-exchange-* out of the key exchanges.",
			CWE:         []int{326},
			References:  []string{"RFC 8270 section 3", "RFC 9142 section 3.2.1"},
			Needs:       finding.Needs{Level: probe.LevelHandshake, Knob: "GroupExchange"},
			Check:       finding.On(weakGroups),
		},
	}
}

func exposed(e *Evidence) finding.Answer {
	switch {
	case e.Identification == "":
		if i := slices.IndexFunc(e.GreetingLines, opensshRefuses); i >= 0 {
			return finding.Fires(finding.Seen, fmt.Sprintf("/evidence/greeting_lines/%d", i))
		}
		return finding.NotLearned()
	case e.TransferHint != "":
		return finding.Fires(finding.Seen, "/evidence/identification").With("the software is made for SFTP")
	}
	return finding.Fires(finding.Seen, "/evidence/identification")
}

func version1(e *Evidence) finding.Answer {
	switch {
	case e.ProtocolVersion == "":
		return finding.NotLearned()
	case !strings.HasPrefix(e.ProtocolVersion, "1."):
		return finding.NotSo()
	}
	return finding.Fires(finding.Seen, "/evidence/protocol").With("version " + e.ProtocolVersion)
}

// onAlgorithms makes a check of a function over the lists of KEXINIT.
func onAlgorithms(check func(a *Algorithms) finding.Answer) func(*probe.Result) finding.Answer {
	return finding.On(func(e *Evidence) finding.Answer {
		if e.Algorithms == nil {
			return finding.NotLearned()
		}
		return check(e.Algorithms)
	})
}

func weakKexes(a *Algorithms) finding.Answer { return weak(in(a.Kex, "kex", weakKex)) }

func weakHostKeys(a *Algorithms) finding.Answer { return weak(in(a.HostKey, "host_key", weakHostKey)) }

func weakCiphers(a *Algorithms) finding.Answer {
	return weak(
		in(a.CiphersClientToServer, "ciphers_client_to_server", weakCipher),
		in(a.CiphersServerToClient, "ciphers_server_to_client", weakCipher),
	)
}

func weakMACs(a *Algorithms) finding.Answer {
	return weak(
		in(a.MACsClientToServer, "macs_client_to_server", weakMAC),
		in(a.MACsServerToClient, "macs_server_to_client", weakMAC),
	)
}

// smallHostKey isn't answered by keys of other types if the server has an RSA key that wasn't learned.
func smallHostKey(e *Evidence) finding.Answer {
	isRSA := func(kind string) bool { return strings.HasPrefix(kind, "ssh-rsa") }
	known := e.HostKeysMissing != nil && !slices.ContainsFunc(e.HostKeysMissing, func(m MissingHostKey) bool { return isRSA(m.Type) })
	for i, k := range e.HostKeys {
		known = known && (!isRSA(k.Type) || k.Bits > 0)
		if isRSA(k.Type) && k.Bits > 0 && k.Bits < 2048 {
			at := fmt.Sprintf("/evidence/host_keys/%d/", i)
			item := finding.Item{Value: fmt.Sprintf("%d bits", k.Bits), Basis: at + "bits"}
			return finding.Fires(finding.Seen, at+"bits", at+"type").About(item).With(item.Value)
		}
	}
	if !known {
		return finding.NotLearned()
	}
	return finding.NotSo()
}

// weakGroups asks for the smallest group that was given.
func weakGroups(e *Evidence) finding.Answer {
	if e.GroupExchange == nil {
		return finding.NotLearned()
	}
	smallest := -1
	for i, g := range e.GroupExchange {
		if g.Bits > 0 && (smallest < 0 || g.Bits < e.GroupExchange[smallest].Bits) {
			smallest = i
		}
	}
	if smallest < 0 || e.GroupExchange[smallest].Bits >= 2048 {
		return finding.NotSo()
	}
	item := finding.Item{Value: fmt.Sprintf("%d bits", e.GroupExchange[smallest].Bits), Basis: fmt.Sprintf("/evidence/gex/%d/bits", smallest)}
	a := finding.Fires(finding.Seen, item.Basis).About(item).With(item.Value)
	if e.GroupExchange[smallest].Bits > 1024 {
		return a.Rated(finding.Medium)
	}
	return a
}

// terrapin asks for a direction in which messages can be cut off: with ChaCha20-Poly1305, or with CBC and a MAC over the
// ciphertext.
func terrapin(e *Evidence) finding.Answer {
	a := e.Algorithms
	if a == nil {
		return finding.NotLearned()
	}
	var found [][]finding.Item
	for _, way := range []struct {
		ciphers, macs         []string
		cipherField, macField string
	}{
		{a.CiphersClientToServer, a.MACsClientToServer, "ciphers_client_to_server", "macs_client_to_server"},
		{a.CiphersServerToClient, a.MACsServerToClient, "ciphers_server_to_client", "macs_server_to_client"},
	} {
		found = append(found, in(way.ciphers, way.cipherField, isChaCha))
		cbc, etm := in(way.ciphers, way.cipherField, isCBC), in(way.macs, way.macField, isEncryptThenMAC)
		if len(cbc) > 0 && len(etm) > 0 {
			found = append(found, cbc, etm)
		}
	}
	return finding.When(e.StrictKex, probe.No, weak(found...).Also("/evidence/strict_kex"))
}

func passwords(e *Evidence) finding.Answer {
	if e.AuthMethods == nil {
		return finding.NotLearned()
	}
	i := slices.Index(e.AuthMethods, "password")
	if i < 0 {
		return finding.NotSo()
	}
	return finding.Fires(finding.Seen, fmt.Sprintf("/evidence/auth_methods/%d", i))
}

func noPostQuantum(a *Algorithms) finding.Answer {
	if slices.ContainsFunc(a.Kex, postQuantum) {
		return finding.NotSo()
	}
	return finding.Fires(finding.Seen, "/evidence/algorithms/kex")
}
