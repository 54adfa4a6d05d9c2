package finding

import (
	"slices"

	"github.com/handclasp/handclasp/probe"
)

// Described returns the rules with what the catalogue knows of them: CVSS, ATT&CK techniques, controls and the level that they
// need. What a rule says itself stays. The slice that it was given is left as it is.
func Described(rules []Rule) []Rule {
	rules = slices.Clone(rules)
	for i := range rules {
		rules[i].describe()
	}
	return rules
}

func (r *Rule) describe() {
	about, ok := catalogue[r.ID]
	if !ok {
		return
	}
	if r.CVSS == "" {
		r.CVSS, r.Score = about.vector, about.score
	}
	if r.Techniques == nil {
		r.Techniques = about.techniques
	}
	if r.Controls == nil {
		r.Controls = about.controls
	}
	if r.Needs == (Needs{}) {
		r.Needs.Level = about.level
	}
}

// about is what the catalogue holds beside a rule.
type about struct {
	vector     string  // CVSS 4.0, base metrics
	score      float64 // of the vector; a test holds it
	techniques []string
	controls   []string
	level      probe.Level
}

// Controls by what is missing: PCI DSS 4.0.1, CIS Controls 8.1, NIST SP 800-53 rev. 5, ISO/IEC 27001:2022 Annex A, and the
// measures of directive (EU) 2022/2555 (NIS2), article 21(2).
var (
	ports     = []string{"PCI DSS 4.0.1 1.2.5", "CIS 8.1 4.8", "NIST 800-53 CM-7", "ISO 27001 A.8.20", "NIS2 21(2)(g)"}
	transport = []string{"PCI DSS 4.0.1 4.2.1", "CIS 8.1 3.10", "NIST 800-53 SC-8", "ISO 27001 A.8.24", "NIS2 21(2)(h)"}
	passwords = []string{"PCI DSS 4.0.1 8.3.2", "CIS 8.1 3.10", "NIST 800-53 IA-5(1)", "ISO 27001 A.8.5", "NIS2 21(2)(h)"}
	ciphers   = []string{"PCI DSS 4.0.1 4.2.1", "CIS 8.1 3.10", "NIST 800-53 SC-13", "ISO 27001 A.8.24", "NIS2 21(2)(h)"}
	keys      = []string{"PCI DSS 4.0.1 4.2.1.1", "CIS 8.1 3.10", "NIST 800-53 SC-17", "ISO 27001 A.8.24", "NIS2 21(2)(h)"}
	access    = []string{"PCI DSS 4.0.1 7.2.1", "CIS 8.1 3.3", "NIST 800-53 AC-14", "ISO 27001 A.8.3", "NIS2 21(2)(i)"}
	names     = []string{"PCI DSS 4.0.1 1.4.5", "CIS 8.1 4.8", "NIST 800-53 CM-7", "ISO 27001 A.8.9", "NIS2 21(2)(g)"}
	settings  = []string{"PCI DSS 4.0.1 2.2.6", "CIS 8.1 4.1", "NIST 800-53 CM-6", "ISO 27001 A.8.9", "NIS2 21(2)(g)"}
	updates   = []string{"PCI DSS 4.0.1 6.3.3", "CIS 8.1 7.4", "NIST 800-53 SI-2", "ISO 27001 A.8.8", "NIS2 21(2)(e)"}
	factors   = []string{"PCI DSS 4.0.1 8.4.2", "CIS 8.1 6.4", "NIST 800-53 IA-2(1)", "ISO 27001 A.8.5", "NIS2 21(2)(j)"}
)

// Vectors by what an attacker does. Findings that harm nothing by themselves have the first.
const (
	harmless    = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N"
	reads       = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"
	readsAll    = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"
	writes      = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N"
	fills       = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:H/VA:L/SC:N/SI:L/SA:N"
	takesOver   = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
	listens     = "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N" // on the way, as somebody logs in
	intercepts  = "CVSS:4.0/AV:N/AC:H/AT:P/PR:N/UI:P/VC:H/VI:H/VA:N/SC:N/SI:N/SA:N" // changes what is under way
	weakens     = "CVSS:4.0/AV:N/AC:H/AT:P/PR:N/UI:P/VC:L/VI:L/VA:N/SC:N/SI:N/SA:N"
	decrypts    = "CVSS:4.0/AV:N/AC:H/AT:P/PR:N/UI:N/VC:H/VI:H/VA:N/SC:N/SI:N/SA:N"
	reflects    = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:L"
	guesses     = "CVSS:4.0/AV:N/AC:H/AT:P/PR:N/UI:N/VC:L/VI:L/VA:L/SC:N/SI:N/SA:N"
	surface     = "CVSS:4.0/AV:N/AC:H/AT:P/PR:N/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N" // there is something to attack
	surfaceWide = "CVSS:4.0/AV:N/AC:H/AT:P/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
)

// catalogue is by rule id. Techniques are MITRE ATT&CK's (Enterprise, version 16).
var catalogue = map[string]about{
	"ftp.exposed":                {surface, 6.3, []string{"T1133"}, ports, probe.LevelGreeting},
	"ftp.anonymous":              {reads, 6.9, []string{"T1078.001"}, access, probe.LevelHandshake},
	"ftp.cleartext-login":        {listens, 6, []string{"T1040"}, passwords, probe.LevelHandshake},
	"ftp.tls-missing":            {weakens, 2.3, []string{"T1040"}, transport, probe.LevelHandshake},
	"ftp.anonymous-listing":      {reads, 6.9, []string{"T1083"}, access, probe.LevelAnonymous},
	"ftp.anonymous-writable":     {fills, 8.8, []string{"T1565.001", "T1608.001"}, access, probe.LevelAnonymous},
	"ftp.passive-address-leak":   {reads, 6.9, []string{"T1590.005"}, names, probe.LevelAnonymous},
	"netbios.exposed":            {reads, 6.9, []string{"T1046"}, ports, probe.LevelHandshake},
	"netbios.info-leak":          {reads, 6.9, []string{"T1592", "T1589"}, names, probe.LevelHandshake},
	"netbios.amplifier":          {reflects, 6.9, []string{"T1498.002"}, ports, probe.LevelHandshake},
	"nntp.exposed":               {harmless, 0, []string{"T1046"}, ports, probe.LevelGreeting},
	"nntp.read-open":             {reads, 6.9, []string{"T1213"}, access, probe.LevelHandshake},
	"nntp.post-open":             {writes, 6.9, []string{"T1565.001"}, access, probe.LevelHandshake},
	"nntp.feed-open":             {writes, 6.9, []string{"T1565.001"}, access, probe.LevelHandshake},
	"nntp.auth-cleartext":        {listens, 6, []string{"T1040"}, passwords, probe.LevelHandshake},
	"nntp.starttls-missing":      {weakens, 2.3, []string{"T1040"}, transport, probe.LevelHandshake},
	"nntp.starttls-broken":       {weakens, 2.3, []string{"T1040", "T1557"}, transport, probe.LevelHandshake},
	"rsync.exposed":              {surface, 6.3, []string{"T1133"}, ports, probe.LevelGreeting},
	"rsync.module-list":          {reads, 6.9, []string{"T1083"}, access, probe.LevelHandshake},
	"rsync.module-open":          {readsAll, 8.7, []string{"T1039", "T1213"}, access, probe.LevelAnonymous},
	"rsync.weak-auth-digest":     {weakens, 2.3, []string{"T1110.002"}, ciphers, probe.LevelHandshake},
	"rsync.outdated":             {takesOver, 9.3, []string{"T1190"}, updates, probe.LevelHandshake},
	"smb.exposed":                {surfaceWide, 9.2, []string{"T1190", "T1133"}, ports, probe.LevelHandshake},
	"smb.v1":                     {surfaceWide, 9.2, []string{"T1210"}, settings, probe.LevelHandshake},
	"smb.signing-optional":       {intercepts, 7.6, []string{"T1557.001"}, settings, probe.LevelHandshake},
	"smb.null-session":           {readsAll, 8.7, []string{"T1078.001", "T1135"}, access, probe.LevelAnonymous},
	"smb.guest":                  {readsAll, 8.7, []string{"T1078.001"}, access, probe.LevelAnonymous},
	"smb.shares-listed":          {reads, 6.9, []string{"T1135"}, access, probe.LevelAnonymous},
	"smb.no-encryption":          {harmless, 0, []string{"T1040"}, transport, probe.LevelHandshake},
	"smtp.exposed":               {harmless, 0, []string{"T1046"}, ports, probe.LevelGreeting},
	"smtp.starttls-missing":      {listens, 6, []string{"T1040"}, transport, probe.LevelHandshake},
	"smtp.starttls-stripped":     {intercepts, 7.6, []string{"T1557"}, transport, probe.LevelHandshake},
	"smtp.starttls-broken":       {weakens, 2.3, []string{"T1040", "T1557"}, transport, probe.LevelHandshake},
	"smtp.auth-cleartext":        {listens, 6, []string{"T1040"}, passwords, probe.LevelHandshake},
	"smtp.vrfy":                  {reads, 6.9, []string{"T1087.003", "T1589.002"}, names, probe.LevelHandshake},
	"smtp.expn":                  {reads, 6.9, []string{"T1087.003", "T1589.002"}, names, probe.LevelHandshake},
	"ssh.exposed":                {surface, 6.3, []string{"T1133", "T1021.004"}, ports, probe.LevelGreeting},
	"ssh.none-accepted":          {takesOver, 9.3, []string{"T1078.001"}, access, probe.LevelAnonymous},
	"ssh.v1":                     {decrypts, 9.1, []string{"T1557"}, ciphers, probe.LevelHandshake},
	"ssh.weak-kex":               {weakens, 2.3, []string{"T1557"}, ciphers, probe.LevelHandshake},
	"ssh.weak-gex":               {weakens, 2.3, []string{"T1557"}, ciphers, probe.LevelHandshake},
	"ssh.sha1-signatures":        {weakens, 2.3, []string{"T1557"}, ciphers, probe.LevelHandshake},
	"ssh.weak-hostkey-alg":       {weakens, 2.3, []string{"T1557"}, ciphers, probe.LevelHandshake},
	"ssh.weak-cipher":            {weakens, 2.3, []string{"T1040"}, ciphers, probe.LevelHandshake},
	"ssh.weak-mac":               {weakens, 2.3, []string{"T1557"}, ciphers, probe.LevelHandshake},
	"ssh.small-hostkey":          {weakens, 2.3, []string{"T1557"}, keys, probe.LevelHandshake},
	"ssh.terrapin":               {weakens, 2.3, []string{"T1557"}, ciphers, probe.LevelHandshake},
	"ssh.password-auth":          {guesses, 6.3, []string{"T1110"}, factors, probe.LevelAnonymous},
	"ssh.shared-hostkey":         {intercepts, 7.6, []string{"T1557", "T1552.004"}, keys, probe.LevelHandshake},
	"ssh.no-post-quantum":        {harmless, 0, []string{"T1040"}, ciphers, probe.LevelHandshake},
	"net.odd-port":               {harmless, 0, []string{"T1046"}, ports, probe.LevelGreeting},
	"net.same-machine":           {harmless, 0, []string{"T1590"}, names, probe.LevelHandshake},
	"starttls.injection":         {intercepts, 7.6, []string{"T1557"}, transport, probe.LevelHandshake},
	"ntlm.info":                  {reads, 6.9, []string{"T1592"}, names, probe.LevelHandshake},
	"tls.cert-expired":           {weakens, 2.3, []string{"T1557"}, keys, probe.LevelHandshake},
	"tls.cert-expires-soon":      {harmless, 0, []string{"T1557"}, keys, probe.LevelHandshake},
	"tls.cert-long-lived":        {harmless, 0, []string{"T1557"}, keys, probe.LevelHandshake},
	"tls.cert-wildcard":          {harmless, 0, []string{"T1552.004"}, keys, probe.LevelHandshake},
	"tls.cert-internal-names":    {reads, 6.9, []string{"T1590"}, names, probe.LevelHandshake},
	"tls.cert-untrusted":         {weakens, 2.3, []string{"T1557"}, keys, probe.LevelHandshake},
	"tls.cert-mismatch":          {weakens, 2.3, []string{"T1557"}, keys, probe.LevelHandshake},
	"tls.legacy-version":         {weakens, 2.3, []string{"T1557"}, ciphers, probe.LevelHandshake},
	"tls.weak-key":               {weakens, 2.3, []string{"T1557"}, keys, probe.LevelHandshake},
	"tls.weak-signature":         {weakens, 2.3, []string{"T1557"}, keys, probe.LevelHandshake},
	"tls.sslv2":                  {decrypts, 9.1, []string{"T1557"}, ciphers, probe.LevelHandshake},
	"tls.sslv3":                  {decrypts, 9.1, []string{"T1557"}, ciphers, probe.LevelHandshake},
	"tls.anonymous-suites":       {intercepts, 7.6, []string{"T1557"}, ciphers, probe.LevelHandshake},
	"tls.null-suites":            {listens, 6, []string{"T1040"}, ciphers, probe.LevelHandshake},
	"tls.export-suites":          {decrypts, 9.1, []string{"T1557"}, ciphers, probe.LevelHandshake},
	"tls.rc4":                    {weakens, 2.3, []string{"T1040"}, ciphers, probe.LevelHandshake},
	"tls.3des":                   {weakens, 2.3, []string{"T1040"}, ciphers, probe.LevelHandshake},
	"tls.no-forward-secrecy":     {weakens, 2.3, []string{"T1040"}, ciphers, probe.LevelHandshake},
	"tls.weak-dh":                {weakens, 2.3, []string{"T1557"}, ciphers, probe.LevelHandshake},
	"tls.common-dh-prime":        {weakens, 2.3, []string{"T1040"}, ciphers, probe.LevelHandshake},
	"tls.compression":            {weakens, 2.3, []string{"T1557"}, ciphers, probe.LevelHandshake},
	"tls.insecure-renegotiation": {weakens, 2.3, []string{"T1557"}, ciphers, probe.LevelHandshake},
	"tls.no-post-quantum":        {harmless, 0, []string{"T1040"}, ciphers, probe.LevelHandshake},
	"tls.shared-key":             {intercepts, 7.6, []string{"T1557", "T1552.004"}, keys, probe.LevelHandshake},
	"key.weak":                   {decrypts, 9.1, []string{"T1557", "T1552.004"}, keys, probe.LevelHandshake},
	"software.end-of-life":       {surfaceWide, 9.2, []string{"T1190"}, updates, probe.LevelHandshake},
	"software.vulnerable":        {surfaceWide, 9.2, []string{"T1190"}, updates, probe.LevelHandshake},
}
