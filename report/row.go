package report

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
)

// Where the columns of a row begin: "● 21/tcp    ftp   220 ready", findings below.
const (
	protocolColumn = 12
	textColumn     = 18
	findingColumn  = 4
	idColumn       = 14
)

// row writes one endpoint: what it is, how it went, and what was found, each finding with its proof.
func (t *Table) row(b *bytes.Buffer, r finding.Record) {
	document := documentOf(r)
	where := fit(fmt.Sprintf("%d/%s", r.Target.Addr.Port(), r.Target.Network), protocolColumn) // a stored one may be anything
	head := pad(pad(where, protocolColumn-2)+fit(r.Protocol, protocolColumn)+"  ", textColumn-2)
	took := elapsed(r.Elapsed)
	room := t.width - ansi.StringWidth(head) - len(took) - 4
	text := pad(fit(headline(r, document), room), room)
	fmt.Fprintf(b, "%s %s%s%s  %s\n", t.in(worst(r), "●"), t.in(bold, head[:len(where)]), head[len(where):], text, t.in(faint, took))

	indent := strings.Repeat(" ", textColumn)
	if line := security(r); line != "" {
		fmt.Fprintln(b, indent+t.in(faint, fit(line, t.width-textColumn)))
	}
	if line := software(r); line != "" {
		fmt.Fprintln(b, indent+t.in(faint, fit("software: "+line, t.width-textColumn)))
	}
	if r.Err != nil {
		fmt.Fprintln(b, indent+t.in(warning, fit(trouble(r, document), t.width-textColumn)))
	}
	open := finding.Open(r.Findings)
	width := idWidth(open)
	for _, f := range open {
		t.finding(b, document, f, width)
	}
	for _, f := range r.Findings {
		if f.IsAccepted() {
			line := fit(pad("accepted", idColumn-findingColumn)+f.ID+": "+acceptedWords(f), t.width-findingColumn)
			fmt.Fprintln(b, strings.Repeat(" ", findingColumn)+t.in(faint, line))
		}
	}
}

// acceptedWords say why and by whom a finding, or some of its items, is accepted.
func acceptedWords(f finding.Finding) string {
	words := make([]string, len(f.Accepted))
	for i, a := range f.Accepted {
		if words[i] = a.String(); len(a.Items) > 0 {
			words[i] = strings.Join(a.Items, ", ") + ": " + words[i]
		}
	}
	return strings.Join(words, "; ")
}

// worst is the colour of the record's most severe finding.
func worst(r finding.Record) style {
	var most finding.Severity
	for _, f := range finding.Open(r.Findings) {
		most = max(most, f.Severity)
	}
	switch {
	case most > 0:
		return severityStyles[most]
	case r.Outcome == probe.OutcomeOK:
		return calm
	}
	return faint
}

// outcomeWords say how far a probe came that didn't come to its end.
var outcomeWords = map[probe.Outcome]string{
	probe.OutcomeRefused: "refused", probe.OutcomeUnreachable: "unreachable", probe.OutcomeTimeout: "fell silent",
	probe.OutcomeCanceled: "interrupted", probe.OutcomeClosed: "hung up", probe.OutcomeTLS: "TLS failed",
	probe.OutcomeNotProtocol: "speaks something else", probe.OutcomeMalformed: "breaks the protocol's rules",
	probe.OutcomeLimit: "cut off", probe.OutcomeForbidden: "not done", probe.OutcomeInternal: "trouble on this side",
}

// trouble says why a probe didn't come to its end. Of a service that no prober speaks the name says it.
func trouble(r finding.Record, document *document) string {
	why := r.Err.Error()
	if service, err := document.resolve("/evidence/service"); err == nil && r.Outcome == probe.OutcomeNotProtocol {
		why = cmp.Or(describe(service), why)
	}
	return fmt.Sprintf("%s: %s", outcomeWords[r.Outcome], why)
}

// software names what was recognised: the service, its operating system, the device.
func software(r finding.Record) string {
	var names []string
	for _, s := range r.Software {
		names = append(names, s.Name())
	}
	return strings.Join(names, " · ")
}

// security sums the TLS handshake up.
func security(r finding.Record) string {
	e, ok := r.Evidence.(probe.TLSEvidence)
	if !ok || e.TLSHandshake() == nil {
		return ""
	}
	hs := e.TLSHandshake()
	var words []string
	if hs.Version != "" {
		version := "TLS " + hs.Version
		if hs.Mode == "starttls" {
			version += " by STARTTLS"
		}
		words = append(words, version)
	}
	if len(hs.LeftoverPlaintext) > 0 {
		words = append(words, "in plaintext came: "+strings.TrimSpace(string(hs.LeftoverPlaintext)))
	}
	if len(hs.Chain) > 0 {
		leaf := hs.Chain[0]
		name := leaf.Subject
		if name == "" && len(leaf.DNSNames) > 0 {
			name = leaf.DNSNames[0]
		}
		// The name comes last, since it may be as long as the server likes.
		words = append(words, "certificate until "+leaf.NotAfter.Format("2006-01-02"))
		if hs.Trusted == probe.No {
			words = append(words, "not trusted")
		}
		words = append(words, name)
	}
	return strings.Join(words, " · ")
}

func idWidth(all []finding.Finding) int {
	most := 0
	for _, f := range all {
		most = max(most, len(f.ID))
	}
	return min(most, 32)
}

// finding writes one finding: what was found on one line, and below how it is known, and by what.
func (t *Table) finding(b *bytes.Buffer, document *document, f finding.Finding, width int) {
	severity := strings.ToUpper(f.Severity.String())
	title := f.Title
	if f.Detail != "" {
		title += ": " + f.Detail
	}
	id := pad(fit(f.ID, width), width)
	fmt.Fprintf(b, "%s%s%s%s  %s\n", strings.Repeat(" ", findingColumn), t.in(severityStyles[f.Severity], severity),
		strings.Repeat(" ", max(1, idColumn-findingColumn-len(severity))), id, fit(title, t.width-idColumn-width-2))
	for i, proof := range proofs(document, f) {
		how := knownWord(f)
		if i > 0 {
			how = ""
		}
		line := fit(pad(how, 8)+"  "+proof, t.width-idColumn)
		fmt.Fprintln(b, strings.Repeat(" ", idColumn)+t.in(faint, line))
	}
	if len(f.Accepted) > 0 {
		fmt.Fprintln(b, strings.Repeat(" ", idColumn)+t.in(faint, fit("accepted  "+acceptedWords(f), t.width-idColumn)))
	}
}
