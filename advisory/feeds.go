package advisory

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// addKEV adds CISA's catalogue of known exploited vulnerabilities
// (https://www.cisa.gov/known-exploited-vulnerabilities-catalog).
func (b *Builder) addKEV(data []byte) error {
	var catalogue struct {
		Released        time.Time `json:"dateReleased"`
		Vulnerabilities []struct {
			ID    string `json:"cveID"`
			Added string `json:"dateAdded"`
		} `json:"vulnerabilities"`
	}
	if err := json.Unmarshal(data, &catalogue); err != nil {
		return fmt.Errorf("KEV catalogue: %w", err)
	}
	b.seen(catalogue.Released)
	for _, v := range catalogue.Vulnerabilities {
		day, err := time.Parse(time.DateOnly, v.Added)
		if err != nil {
			return fmt.Errorf("KEV catalogue: %s: %w", v.ID, err)
		}
		if old, ok := b.kev[v.ID]; !ok || day.Before(old) {
			b.kev[v.ID] = day
		}
	}
	return nil
}

// addEPSS adds a day's scores of the Exploit Prediction Scoring System (https://www.first.org/epss/data_stats).
func (b *Builder) addEPSS(data []byte) error {
	s := bufio.NewScanner(bytes.NewReader(data))
	for line := 1; s.Scan(); line++ {
		text := s.Text()
		if rest, ok := strings.CutPrefix(text, "#"); ok {
			if _, date, ok := strings.Cut(rest, "score_date:"); ok {
				date, _, _ = strings.Cut(date, ",")
				if t, ok := epssTime(strings.TrimSpace(date)); ok {
					b.seen(t)
				}
			}
			continue
		}
		id, rest, _ := strings.Cut(text, ",")
		if !strings.HasPrefix(id, "CVE-") {
			continue // the line of headings
		}
		value, _, _ := strings.Cut(rest, ",")
		p, err := strconv.ParseFloat(value, 64)
		if err != nil || !(0 <= p && p <= 1) {
			return fmt.Errorf("EPSS scores: line %d: %q isn't a probability", line, value)
		}
		b.epss[id] = p
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("EPSS scores: %w", err)
	}
	return nil
}

// epssTime reads a file's date: older ones write a zone such as +0000, and some a day alone.
func epssTime(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
