package fleet

import (
	"archive/zip"
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/handclasp/handclasp"
	"github.com/handclasp/handclasp/advisory"
	"github.com/handclasp/handclasp/detect"
	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/fingerprint"
	"github.com/handclasp/handclasp/internal/pick"
	"github.com/handclasp/handclasp/probe"
)

// Judging says what results are judged by beside what is built in. Files are named by their SHA-256 in the scan's bucket, as
// [Client.Store] returns it, so that all workers have the same; empty for none.
type Judging struct {
	CA         string           `json:"ca"`         // certificates in PEM, in place of each worker's system's
	Recog      string           `json:"recog"`      // fingerprints: the zip archive of a folder, as [Archive] makes it
	Advisories string           `json:"advisories"` // an index
	LifeCycle  string           `json:"lifecycle"`  // endoflife.date's JSON: the zip archive of a folder
	Policies   []finding.Policy `json:"policies"`   // null for none
	Profile    string           `json:"severity_profile"`
	// Rule are the only ones to judge by, and Without those to leave out: ids, or what stands before the dot; null for all, and none.
	// A policy is judged by unless it is left out.
	Rule        []string         `json:"rules"`
	Without     []string         `json:"without_rules"`
	MinSeverity finding.Severity `json:"min_severity,omitempty"` // of findings that are told; zero for all
}

// profile is that by which findings are rated; the zero value, which rates none, if none is named.
func (g *Judging) profile() (p finding.Profile, err error) {
	if g.Profile != "" {
		p, err = finding.ParseProfile(g.Profile)
	}
	return p, err
}

// chosen reports whether a rule is judged by.
func (g *Judging) chosen(id string) bool { return pick.Judges(id, g.Rule, g.Without) }

// judges are the rules that are chosen, of those that are built in and the policies'.
func (g *Judging) judges(builtIn []finding.Rule) ([]finding.Rule, []finding.Comparison) {
	rules := slices.Clone(builtIn)
	for _, p := range g.Policies {
		rules = append(rules, p.Rule())
	}
	return slices.DeleteFunc(rules, func(r finding.Rule) bool { return !g.chosen(r.ID) }),
		slices.DeleteFunc(handclasp.Comparisons(), func(c finding.Comparison) bool { return !g.chosen(c.ID) })
}

// told are the findings that are severe enough.
func (g *Judging) told(all []finding.Finding) []finding.Finding {
	return slices.DeleteFunc(all, func(f finding.Finding) bool { return f.Severity < g.MinSeverity })
}

// checkJudging says what can't be meant.
func (s *Scan) checkJudging() error {
	if _, err := s.profile(); err != nil {
		return err
	}
	for _, p := range s.Policies {
		if err := p.Check(); err != nil {
			return fmt.Errorf("the policy %q: %w", p.Name, err)
		}
	}
	rules := s.Rules()
	for _, name := range slices.Concat(s.Judging.Rule, s.Without) {
		if !slices.ContainsFunc(rules, func(r finding.Rule) bool { return pick.IsOf(r.ID, name) }) {
			return fmt.Errorf("no rule is called %q", name)
		}
	}
	return nil
}

// A judgement is what a [Judging] names, read.
type judgement struct {
	by       *Judging
	roots    *x509.CertPool // nil for the system's
	software *fingerprint.DB
	advice   advisory.Judge
	profile  finding.Profile
}

// judgement fetches what a scan is judged by.
func (s *Scan) judgement(ctx context.Context, js jetstream.JetStream) (v judgement, err error) {
	v.by = &s.Judging
	if v.profile, err = s.profile(); err != nil {
		return v, err
	}
	for _, file := range []struct {
		digest string
		read   func(*os.File) error
	}{{s.CA, v.readRoots}, {s.Recog, v.readRecog}, {s.Advisories, v.readIndex}, {s.LifeCycle, v.readLifeCycle}} {
		if file.digest == "" {
			continue
		}
		f, err := load(ctx, js, s.ID, file.digest)
		if err != nil {
			return v, err
		}
		if err := errors.Join(file.read(f), f.Close()); err != nil {
			return v, refusal{err}
		}
	}
	return v, nil
}

func (v *judgement) readRoots(f *os.File) error {
	pem, err := io.ReadAll(f)
	v.roots = x509.NewCertPool()
	if err == nil && !v.roots.AppendCertsFromPEM(pem) {
		err = errors.New("the roots hold no certificate in PEM")
	}
	return err
}

func (v *judgement) readRecog(f *os.File) error {
	archive, err := openArchive(f)
	if err != nil {
		return err
	}
	db, err := fingerprint.Load(archive)
	if db == nil || db.Len() == 0 {
		return fmt.Errorf("the fingerprints: %w", cmp.Or(err, errors.New("none can be used")))
	}
	v.software = db.Then(fingerprint.Builtin())
	return nil
}

func (v *judgement) readIndex(f *os.File) error {
	data, err := io.ReadAll(f)
	if err == nil {
		v.advice.Index, err = advisory.ReadIndex(data)
	}
	return err
}

func (v *judgement) readLifeCycle(f *os.File) error {
	archive, err := openArchive(f)
	if err == nil {
		v.advice.LifeCycle, err = advisory.LoadLifeCycle(archive)
	}
	return err
}

// judge returns what makes records of one shard's results. Comparisons need those of all shards: they are the collector's.
func (v *judgement) judge(probers []probe.Prober) *handclasp.Judge {
	rules, _ := v.by.judges(slices.Concat(handclasp.Rules(), v.advice.Rules()))
	return handclasp.NewJudge(&handclasp.Options{
		Probers: probers, Rules: rules, Comparisons: []finding.Comparison{}, Fingerprints: v.software, Profile: v.profile,
	})
}

// Rules are those that results of the scan may be judged by, as reports explain them.
func (s *Scan) Rules() []finding.Rule {
	rules := slices.Concat(handclasp.Rules(), advisory.Judge{}.Rules())
	for _, c := range handclasp.Comparisons() {
		rules = append(rules, c.Rule)
	}
	for _, p := range s.Policies {
		rules = append(rules, p.Rule())
	}
	return rules
}

// Readers are the probers whose evidence results may hold.
func Readers() []probe.Prober { return append(handclasp.Probers(), detect.Detector{}) }

// Archive writes the files of a folder that have an ending, and those in the folders of it, as a zip archive. That of the same files is the same.
func Archive(w io.Writer, dir fs.FS, ending string) error {
	z := zip.NewWriter(w)
	var names []string
	for _, pattern := range []string{"*" + ending, "*/*" + ending} {
		found, err := fs.Glob(dir, pattern)
		if err != nil {
			return err
		}
		names = append(names, found...)
	}
	if len(names) == 0 {
		return fmt.Errorf("it holds no *%s", ending)
	}
	for _, name := range names {
		data, err := fs.ReadFile(dir, name)
		if err != nil {
			return err
		}
		part, err := z.Create(name)
		if err != nil {
			return err
		}
		if _, err := part.Write(data); err != nil {
			return err
		}
	}
	return z.Close()
}

func openArchive(f *os.File) (*zip.Reader, error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	return zip.NewReader(f, size)
}
