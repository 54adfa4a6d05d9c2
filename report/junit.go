package report

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/handclasp/handclasp/finding"
)

// A JUnit writes a test suite for each endpoint, as JUnit XML, for continuous integration: each finding is a test that failed, or
// that was skipped if it is accepted.
// An endpoint where nothing was found has one test that passed if it answered, and one that was skipped if it didn't, since
// then nothing was judged. Each record is written as it comes; without Close the file is incomplete.
//
// The form is that of the schema that Jenkins' xUnit plugin has (junit-10.xsd), which GitLab and others read as well.
type JUnit struct {
	out   envelope
	texts texts
}

// NewJUnit returns a writer of JUnit XML to w.
func NewJUnit(w io.Writer, o Options) *JUnit {
	head := xml.Header + "<testsuites name=\"handclasp\">\n"
	return &JUnit{out: envelope{w: w, head: head, tail: "</testsuites>\n"}, texts: textsOf(o.Rules)}
}

type junitSuite struct {
	XMLName    xml.Name        `xml:"testsuite"`
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"` // in seconds
	Timestamp  string          `xml:"timestamp,attr"`
	Hostname   string          `xml:"hostname,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Name    string     `xml:"name,attr"`
	Class   string     `xml:"classname,attr"`
	Skipped *junitText `xml:"skipped"`
	Error   *junitText `xml:"error"`
	Failure *junitText `xml:"failure"`
}

type junitText struct {
	Type    string `xml:"type,attr,omitempty"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// Write writes one record. An error comes again from Close.
func (j *JUnit) Write(r finding.Record) error {
	text, err := xml.MarshalIndent(j.suite(r), "", " ")
	if err != nil {
		return err
	}
	return j.out.write(append(text, '\n'))
}

// Close writes the end.
func (j *JUnit) Close() error { return j.out.close() }

func (j *JUnit) suite(r finding.Record) *junitSuite {
	document := documentOf(r)
	name := fit(r.Endpoint()+" "+r.Protocol, maxCell)
	s := &junitSuite{
		Name: name, Time: fmt.Sprintf("%.3f", r.Elapsed.Seconds()), Timestamp: r.Started.UTC().Format("2006-01-02T15:04:05"),
		Hostname:   fit(cmp.Or(r.Target.Name, r.Target.Addr.Addr().String()), maxCell),
		Properties: []junitProperty{{"address", r.Target.Addr.String()}, {"state", string(StateOf(r))}, {"outcome", string(r.Outcome)}},
	}
	for _, p := range []junitProperty{{"greeting", headline(r, document)}, {"software", software(r)}} {
		if p.Value != "" {
			s.Properties = append(s.Properties, p)
		}
	}
	for i, p := range s.Properties {
		s.Properties[i].Value = fit(p.Value, maxCell)
	}
	for _, f := range r.Findings {
		s.Cases = append(s.Cases, j.finding(r, f, document))
	}
	if len(r.Findings) == 0 {
		s.Cases = append(s.Cases, nothing(r, document))
	}
	for i := range s.Cases {
		c := &s.Cases[i]
		c.Class = name
		s.Tests++
		switch {
		case c.Failure != nil:
			s.Failures++
		case c.Error != nil:
			s.Errors++
		case c.Skipped != nil:
			s.Skipped++
		}
	}
	return s
}

func (j *JUnit) finding(r finding.Record, f finding.Finding, document *document) junitCase {
	if f.IsAccepted() {
		return junitCase{Name: fit(f.ID, maxCell), Skipped: both("accepted", "accepted: "+acceptedWords(f))}
	}
	rule := j.texts.of(f)
	message := fmt.Sprintf("%v: %s", f.Severity, cmp.Or(f.Title, f.ID))
	if f.Detail != "" {
		message += ": " + f.Detail
	}
	text := append([]string{rule.Summary, knownSentences[f.Known]}, lines(r, f, document)...)
	if what := remedy(f, rule); what != "" {
		text = append(text, "What to do: "+what)
	}
	text = append(text, references(f, rule)...)
	return junitCase{Name: fit(f.ID, maxCell), Failure: &junitText{
		Type: f.Severity.String(), Message: fit(message, maxCell), Text: strings.TrimSpace(strings.Join(text, "\n")) + "\n",
	}}
}

// nothing is the test of an endpoint without a finding.
func nothing(r finding.Record, document *document) junitCase {
	c := junitCase{Name: "no finding"}
	switch state := StateOf(r); state {
	case Answered:
	case Failed, Interrupted:
		c.Error = both(string(state), trouble(r, document))
	default:
		c.Skipped = both(string(state), string(state)+": nothing was judged")
	}
	return c
}

// both has the message as the attribute, which Jenkins shows, and as the content, which GitLab does.
func both(kind, message string) *junitText {
	message = fit(message, maxCell)
	return &junitText{Type: kind, Message: message, Text: message}
}
