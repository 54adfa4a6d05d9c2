package advisory

const (
	anybodyAll   = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" // 9.8
	anybodyRoot  = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H" // 10.0
	raceAll      = "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H" // 8.1
	anybodyRead  = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N" // 7.5
	anybodyHint  = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N" // 5.3
	anybodyForge = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:L/A:N" // 5.3
	userAll      = "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H" // 8.8
	anybodyAll2  = "AV:N/AC:L/Au:N/C:C/I:C/A:C"                   // 10.0
)

var knownSSH = []known{
	{
		id: "CVE-2024-6387", name: "regreSSHion", products: []string{"OpenSSH"},
		affected: []bounds{{"", "4.4"}, {"8.5", "9.8"}},
		packages: map[string]string{
			"debian:12":    "1:9.2p1-2+deb12u3",
			"ubuntu:22.04": "1:8.9p1-3ubuntu0.10",
			"ubuntu:24.04": "1:9.6p1-3ubuntu13.3",
		},
		cvss: raceAll, cwe: []int{364},
		refs: []string{"https://www.qualys.com/2024/07/01/cve-2024-6387/regresshion.txt"},
	},
	{
		id: "CVE-2025-26466", products: []string{"OpenSSH"}, affected: []bounds{{"9.5", "9.9p2"}},
		packages: map[string]string{"ubuntu:24.04": "1:9.6p1-3ubuntu13.8"},
		cvss:     "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:N/A:H", cwe: []int{770},
		refs: []string{"https://www.openssh.com/releasenotes.html#9.9p2"},
	},
	{
		id: "CVE-2018-15473", products: []string{"OpenSSH"}, affected: []bounds{{"", "7.8"}},
		cvss: anybodyHint, cwe: []int{362},
		refs: []string{"https://www.openssh.com/releasenotes.html#7.8p1"},
	},
	{
		id: "CVE-2018-10933", products: []string{"libssh"}, affected: []bounds{{"0.6.0", "0.7.6"}, {"0.8.0", "0.8.4"}},
		cvss: "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N", cwe: []int{287},
		refs: []string{"https://www.libssh.org/security/advisories/CVE-2018-10933.txt"},
	},
	{
		// The banner tells the version of OTP's application ssh: those of OTP 25.3.2.20, 26.2.5.11 and 27.3.3.
		id: "CVE-2025-32433", products: []string{"Erlang/OTP SSH"},
		affected: []bounds{{"", "4.15.3.12"}, {"5.0", "5.1.4.8"}, {"5.2", "5.2.10"}},
		cvss:     anybodyRoot, cwe: []int{306}, kev: "2025-06-09",
		refs: []string{"https://github.com/erlang/otp/security/advisories/GHSA-37cp-fgq5-7wc2"},
	},
	{
		id: "CVE-2016-7406", products: []string{"Dropbear"}, affected: []bounds{{"", "2016.74"}},
		cvss: "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", cwe: []int{20},
		refs: []string{"https://matt.ucc.asn.au/dropbear/CHANGES"},
	},
	{
		id: "CVE-2018-15599", products: []string{"Dropbear"}, affected: []bounds{{"", "2019.77"}},
		cvss: "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N", cwe: []int{200},
		refs: []string{"https://matt.ucc.asn.au/dropbear/CHANGES"},
	},
	{
		id: "CVE-2021-35211", products: []string{"Serv-U"}, affected: []bounds{{"", "15.2.3.742"}}, builds: true,
		cvss: anybodyRoot, cwe: []int{787}, kev: "2021-11-03",
		refs: []string{"https://www.solarwinds.com/trust-center/security-advisories/cve-2021-35211"},
	},
	{
		id: "CVE-2024-28995", products: []string{"Serv-U"}, affected: []bounds{{"", "15.4.2.157"}}, builds: true,
		cvss: anybodyRead, cwe: []int{22}, kev: "2024-07-17",
		refs: []string{"https://www.solarwinds.com/trust-center/security-advisories/cve-2024-28995"},
	},
	{
		id: "CVE-2023-0669", products: []string{"GoAnywhere MFT"}, affected: []bounds{{"", "7.1.2"}}, builds: true,
		cvss: "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H", cwe: []int{502}, kev: "2023-02-10",
		refs: []string{"https://www.rapid7.com/blog/post/2023/02/03/exploitation-of-goanywhere-mft-zero-day-vulnerability/"},
	},
}
