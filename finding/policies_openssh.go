package finding

import "slices"

// An openSSHRelease is what a version of OpenSSH's server offers by default beside the version before it, and what it doesn't any
// more (myproposal.h of its portable releases, all of its build options on).
type openSSHRelease struct {
	version   string
	add, drop map[ListName][]string
}

var openSSHReleases = []openSSHRelease{
	{version: "7.4", add: map[ListName][]string{
		ListSSHKex: {
			"curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521",
			"diffie-hellman-group-exchange-sha256", "diffie-hellman-group16-sha512", "diffie-hellman-group18-sha512",
			"diffie-hellman-group14-sha256", "diffie-hellman-group14-sha1",
		},
		ListSSHHostKey: {
			"ecdsa-sha2-nistp256-cert-v01@openssh.com", "ecdsa-sha2-nistp384-cert-v01@openssh.com", "ecdsa-sha2-nistp521-cert-v01@openssh.com",
			"ssh-ed25519-cert-v01@openssh.com", "ssh-rsa-cert-v01@openssh.com", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
			"ecdsa-sha2-nistp521", "ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256", "ssh-rsa",
		},
		ListSSHCiphers: {
			"chacha20-poly1305@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr", "aes128-gcm@openssh.com", "aes256-gcm@openssh.com",
		},
		ListSSHMACs: {
			"umac-64-etm@openssh.com", "umac-128-etm@openssh.com", "hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com",
			"hmac-sha1-etm@openssh.com", "umac-64@openssh.com", "umac-128@openssh.com", "hmac-sha2-256", "hmac-sha2-512", "hmac-sha1",
		},
	}},
	{version: "7.5"}, {version: "7.6"}, {version: "7.7"},
	{version: "7.8", add: map[ListName][]string{ListSSHHostKey: {"rsa-sha2-512-cert-v01@openssh.com", "rsa-sha2-256-cert-v01@openssh.com"}}},
	{version: "7.9"}, {version: "8.0"}, {version: "8.1"},
	{
		version: "8.2",
		add: map[ListName][]string{ListSSHHostKey: {
			"sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", "sk-ssh-ed25519-cert-v01@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
			"sk-ssh-ed25519@openssh.com",
		}},
		drop: map[ListName][]string{ListSSHKex: {"diffie-hellman-group14-sha1"}},
	},
	{version: "8.3"}, {version: "8.4"}, {version: "8.5"}, {version: "8.6"}, {version: "8.7"},
	{version: "8.8", drop: map[ListName][]string{ListSSHHostKey: {"ssh-rsa", "ssh-rsa-cert-v01@openssh.com"}}},
	{version: "8.9", add: map[ListName][]string{ListSSHKex: {"sntrup761x25519-sha512@openssh.com"}}},
	{version: "9.0"}, {version: "9.1"}, {version: "9.2"}, {version: "9.3"}, {version: "9.4"}, {version: "9.5"}, {version: "9.6"}, {version: "9.7"}, {version: "9.8"},
	{version: "9.9", add: map[ListName][]string{ListSSHKex: {"sntrup761x25519-sha512", "mlkem768x25519-sha256"}}},
	{version: "10.0", drop: map[ListName][]string{ListSSHKex: {
		"diffie-hellman-group-exchange-sha256", "diffie-hellman-group16-sha512", "diffie-hellman-group18-sha512", "diffie-hellman-group14-sha256",
	}}},
	{version: "10.1"}, {version: "10.2"},
	{version: "10.3", add: map[ListName][]string{ListSSHHostKey: {
		"webauthn-sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", "webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
	}}},
	{version: "10.4"}, {version: "10.5"},
}

// openSSHDefaults makes a policy of each version: nothing beside what it offers by default.
func openSSHDefaults() (policies []Policy) {
	defaults := map[ListName][]string{}
	for _, r := range openSSHReleases {
		p := Policy{Name: "openssh-" + r.version, Title: "nothing beside the defaults of OpenSSH " + r.version}
		for _, list := range []ListName{ListSSHKex, ListSSHHostKey, ListSSHCiphers, ListSSHMACs} {
			dropped := func(name string) bool { return slices.Contains(r.drop[list], name) }
			defaults[list] = slices.Concat(slices.DeleteFunc(slices.Clone(defaults[list]), dropped), r.add[list])
			p.Statements = append(p.Statements, Statement{Of: list, Allow: defaults[list], Severity: Low, Source: "OpenSSH " + r.version + " myproposal.h"})
		}
		policies = append(policies, p)
	}
	return policies
}
