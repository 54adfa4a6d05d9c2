package finding

// Policies returns those that are built in, by their names' order but for OpenSSH's defaults, which come by version. They are what
// servers can be seen to do of what the documents say; what is asked of software, such as that it can do TLS 1.2, isn't in them.
func Policies() []Policy {
	policies := []Policy{bsiSSH, bsiTLS, mozillaIntermediate, mozillaModern, mozillaOld, nistTLS, rfc9142, rfc9325}
	return append(policies, openSSHDefaults()...)
}

var rfc9142 = Policy{
	Name: "rfc9142", Title: "key exchange and algorithms of SSH as the IETF has them (RFC 9142, 8758, 8332)",
	Statements: []Statement{
		{Of: ListSSHKex, Forbid: []string{"rsa1024-sha1"}, Source: "RFC 9142 section 3.3"},
		{Of: ListSSHKex, Forbid: []string{
			"diffie-hellman-group1-sha1", "diffie-hellman-group-exchange-sha1", "gss-gex-sha1-*", "gss-group1-sha1-*", "gss-group14-sha1-*",
		}, Severity: Low, Source: "RFC 9142 section 4"},
		{Of: ListSSHCiphers, Forbid: []string{"arcfour", "arcfour128", "arcfour256"}, Source: "RFC 8758 section 2"},
		{Of: ListSSHHostKey, Forbid: []string{"ssh-rsa"}, Severity: Low, Source: "RFC 8332 section 5.1"},
		{Of: ListSSHMACs, Forbid: []string{"none"}, Source: "RFC 4253 section 6.4"},
		{Of: ListSSHCiphers, Forbid: []string{"none"}, Source: "RFC 4253 section 6.3"},
	},
}

var rfc9325 = Policy{
	Name: "rfc9325", Title: "secure use of TLS as the IETF recommends it (RFC 9325, BCP 195)",
	Statements: []Statement{
		{Of: ListTLSVersions, Forbid: []string{"SSLv2", "SSLv3", "1.0", "1.1"}, Source: "RFC 9325 section 3.1.1"},
		{Of: ListTLSVersions, Require: []string{"1.3"}, Severity: Low, Source: "RFC 9325 section 3.1.1"},
		{Of: ListTLSSuites, Forbid: []string{
			"*_WITH_NULL_*", "TLS_SHA256_SHA256", "TLS_SHA384_SHA384", "*_WITH_RC4_*", "*_EXPORT_*", "*_EXPORT1024_*", "*_WITH_DES_*",
		}, Source: "RFC 9325 section 4.1"},
		{Of: ListTLSSuites, Forbid: []string{
			"*_WITH_3DES_*", "TLS_RSA_WITH_*", "TLS_DH_RSA_*", "TLS_DH_DSS_*", "TLS_ECDH_RSA_*", "TLS_ECDH_ECDSA_*", "TLS_DHE_*",
		}, Severity: Low, Source: "RFC 9325 section 4.1"},
		{Of: ListTLSDH, AtLeast: 2048, Source: "RFC 9325 section 4.5"},
		{Of: ListTLSGroups, Forbid: []string{"sect163*", "sect193*", "secp160*", "secp192*"}, Source: "RFC 9325 section 4.5"},
	},
}

// Of nistTLS, the suites are those of section 3.3.1's lists, all made of AES, beside which nothing shall be used. Servers for
// citizens may have TLS 1.0 and 1.1 if these need it (section 3.1).
var nistTLS = Policy{
	Name: "nist-800-52r2", Title: "TLS servers of the US government (NIST SP 800-52 Rev. 2)",
	Statements: []Statement{
		{Of: ListTLSVersions, Allow: []string{"1.1", "1.2", "1.3"}, Source: "NIST SP 800-52 Rev. 2 section 3.1"},
		{Of: ListTLSVersions, Forbid: []string{"1.1"}, Severity: Low, Source: "NIST SP 800-52 Rev. 2 section 3.1"},
		{Of: ListTLSVersions, Require: []string{"1.3"}, Source: "NIST SP 800-52 Rev. 2 section 3.1, since 2024"},
		{Of: ListTLSSuites, Allow: []string{
			"TLS_ECDHE_ECDSA_WITH_AES_*", "TLS_ECDHE_RSA_WITH_AES_*", "TLS_DHE_RSA_WITH_AES_*", "TLS_DHE_DSS_WITH_AES_*",
			"TLS_DH_RSA_WITH_AES_*", "TLS_DH_DSS_WITH_AES_*", "TLS_ECDH_RSA_WITH_AES_*", "TLS_ECDH_ECDSA_WITH_AES_*",
			"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256",
		}, Source: "NIST SP 800-52 Rev. 2 sections 3.3.1.1 and 3.3.1.2"},
		{Of: ListTLSDH, AtLeast: 2048, Source: "NIST SP 800-52 Rev. 2 section 3.3.2.1, 112 bits of security"},
	},
}

var bsiTLS = Policy{
	Name: "bsi-tr-02102-2", Title: "TLS as the BSI recommends it (TR-02102-2, version 2026-01)",
	Statements: []Statement{
		{Of: ListTLSVersions, Allow: []string{"1.2", "1.3"}, Source: "BSI TR-02102-2 table 2"},
		{Of: ListTLSSuites, Allow: []string{
			"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_*_GCM_*",
			"TLS_ECDHE_ECDSA_WITH_AES_128_CCM", "TLS_ECDHE_ECDSA_WITH_AES_256_CCM",
			"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", "TLS_ECDHE_RSA_WITH_AES_*_GCM_*",
			"TLS_DHE_DSS_WITH_AES_*_CBC_SHA256", "TLS_DHE_DSS_WITH_AES_*_GCM_*", "TLS_DHE_RSA_WITH_AES_*_CBC_SHA256",
			"TLS_DHE_RSA_WITH_AES_*_GCM_*", "TLS_DHE_RSA_WITH_AES_128_CCM", "TLS_DHE_RSA_WITH_AES_256_CCM",
			"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_AES_128_CCM_SHA256",
			"TLS_ECDH_*_WITH_AES_128_CBC_SHA256", "TLS_ECDH_*_WITH_AES_256_CBC_SHA384", "TLS_ECDH_*_WITH_AES_*_GCM_*",
			"TLS_DH_DSS_WITH_AES_*_CBC_SHA256", "TLS_DH_DSS_WITH_AES_*_GCM_*", "TLS_DH_RSA_WITH_AES_*_CBC_SHA256", "TLS_DH_RSA_WITH_AES_*_GCM_*",
		}, Source: "BSI TR-02102-2 tables 3, 4 and 13"},
		{Of: ListTLSSuites, Forbid: []string{"TLS_ECDH_*", "TLS_DH_*"}, Severity: Low, Source: "BSI TR-02102-2 table 4, only if forward secrecy can't be had"},
		{Of: ListTLSGroups, Allow: []string{
			"secp256r1", "secp384r1", "secp521r1", "brainpoolP256r1*", "brainpoolP384r1*", "brainpoolP512r1*", "ffdhe3072", "ffdhe4096",
		}, Source: "BSI TR-02102-2 tables 6 and 10"},
		{Of: ListTLSDH, AtLeast: 3000, Source: "BSI TR-02102-2 table 14"},
	},
}

// Those of bsiSSH stand by OpenSSH's names, too, which the tables don't have: AES-GCM, and MACs over the ciphertext.
var bsiSSH = Policy{
	Name: "bsi-tr-02102-4", Title: "SSH as the BSI recommends it (TR-02102-4, version 2026-01)",
	Statements: []Statement{
		{Of: ListSSHKex, Allow: []string{
			"diffie-hellman-group-exchange-sha256", "diffie-hellman-group15-sha512", "diffie-hellman-group16-sha512",
			"ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521",
		}, Source: "BSI TR-02102-4 table 2"},
		{Of: ListSSHCiphers, Allow: []string{
			"AEAD_AES_128_GCM", "AEAD_AES_256_GCM", "aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr",
		}, Source: "BSI TR-02102-4 table 3"},
		{Of: ListSSHMACs, Allow: []string{
			"hmac-sha2-256", "hmac-sha2-512", "hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "AEAD_AES_128_GCM", "AEAD_AES_256_GCM",
		}, Source: "BSI TR-02102-4 table 4"},
		{Of: ListSSHHostKey, Allow: []string{
			"pgp-sign-dss", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "x509v3-ecdsa-sha2-nistp*",
		}, Source: "BSI TR-02102-4 table 5"},
	},
}

// Version 6.0 of the guidelines is of April 2026. It has no level Old any more.
const (
	mozilla  = "Mozilla Server Side TLS 6.0"
	mozilla5 = "Mozilla Server Side TLS 5.8"
)

var (
	mozillaSuites13     = []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}
	mozillaSuitesMiddle = append([]string{
		"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
		"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
	}, mozillaSuites13...)
	mozillaSuitesOld = append([]string{
		"TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
		"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
		"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
		"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256",
		"TLS_DHE_RSA_WITH_AES_256_CBC_SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_256_GCM_SHA384",
		"TLS_RSA_WITH_AES_128_CBC_SHA256", "TLS_RSA_WITH_AES_256_CBC_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA",
		"TLS_RSA_WITH_AES_256_CBC_SHA", "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
	}, mozillaSuitesMiddle...)
	mozillaGroups = []string{"X25519MLKEM768", "x25519", "secp256r1", "secp384r1"}
)

var (
	mozillaModern = Policy{
		Name: "mozilla-modern", Title: "Mozilla's level Modern: clients that know TLS 1.3",
		Statements: []Statement{
			{Of: ListTLSVersions, Require: []string{"1.3"}, Allow: []string{"1.3"}, Source: mozilla},
			{Of: ListTLSSuites, Allow: mozillaSuites13, Source: mozilla},
			{Of: ListTLSGroups, Allow: mozillaGroups, Source: mozilla},
		},
	}
	mozillaIntermediate = Policy{
		Name: "mozilla-intermediate", Title: "Mozilla's level Intermediate: servers for everybody",
		Statements: []Statement{
			{Of: ListTLSVersions, Allow: []string{"1.2", "1.3"}, Source: mozilla},
			{Of: ListTLSSuites, Allow: mozillaSuitesMiddle, Source: mozilla},
			{Of: ListTLSGroups, Allow: mozillaGroups, Source: mozilla},
			{Of: ListTLSDH, AtLeast: 2048, Source: mozilla},
		},
	}
	mozillaOld = Policy{
		Name: "mozilla-old", Title: "Mozilla's level Old: very old clients, too",
		Statements: []Statement{
			{Of: ListTLSVersions, Allow: []string{"1.0", "1.1", "1.2", "1.3"}, Source: mozilla5},
			{Of: ListTLSSuites, Allow: mozillaSuitesOld, Source: mozilla5},
			{Of: ListTLSGroups, Allow: mozillaGroups, Source: mozilla5},
			{Of: ListTLSDH, AtLeast: 1024, Source: mozilla5},
		},
	}
)
