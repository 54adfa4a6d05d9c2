package pick

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

// Words reads names with commas between them.
func Words(list string) ([]string, error) {
	words := strings.Split(list, ",")
	for i := range words {
		if words[i] = strings.TrimSpace(words[i]); words[i] == "" {
			return nil, errors.New("nothing is named: write names with commas between them, or leave the flag out")
		}
	}
	return words, nil
}

// PortList is [Ports] of words with commas between them.
func PortList(list string) ([]uint16, error) {
	words := strings.Split(list, ",")
	for i := range words {
		words[i] = strings.TrimSpace(words[i])
	}
	return Ports(words)
}

// Source reads an address of this machine to connect from.
func Source(text string) (netip.Addr, error) {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return a, errors.New("an address is needed, such as 198.51.100.3")
	}
	return a, nil
}

// OneOf returns what reads one of several words.
func OneOf(words ...string) func(string) (string, error) {
	return func(text string) (string, error) {
		if !slices.Contains(words, text) {
			last := len(words) - 1
			return "", fmt.Errorf("use %s or %s", strings.Join(words[:last], ", "), words[last])
		}
		return text, nil
	}
}

// Timeout reads how long an endpoint may take.
func Timeout(text string) (time.Duration, error) {
	if err := hasUnit(text); err != nil {
		return 0, err
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return 0, errors.New("not a duration: write a number and its unit, such as 90s or 2m")
	case d <= 0:
		return 0, errors.New("a timeout is longer than nothing: leave the flag out for the default")
	}
	if most := (probe.Limits{Total: 1<<63 - 1}).Effective().Total; d > most {
		return 0, fmt.Errorf("a timeout is at most %v", most)
	}
	return d, nil
}

// Spacing reads a time that may be anything above nothing.
func Spacing(text string) (time.Duration, error) {
	if err := hasUnit(text); err != nil {
		return 0, err
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, errors.New("write a number above 0 and its unit, such as 500ms or 10s")
	}
	return d, nil
}

func hasUnit(text string) error {
	if _, err := strconv.Atoi(text); err == nil && text != "0" {
		return fmt.Errorf("the unit is missing: write %ss for seconds", text)
	}
	return nil
}

// Rate reads a number of connections a second.
func Rate(text string) (float64, error) {
	r, err := strconv.ParseFloat(text, 64)
	if err != nil || !(r > 0 && r <= 1e6) {
		return 0, errors.New("a number above 0, up to 1000000, is needed; leave the flag out for no bound")
	}
	return r, nil
}

// Concurrency reads how many things are done at once.
func Concurrency(text string) (int, error) { return between(text, 1, scan.MaxConcurrency) }

// Retries reads how often an endpoint is asked again.
func Retries(text string) (int, error) { return between(text, 0, 10) }

func between(text string, least, most int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("a number from %d to %d is needed", least, most)
	}
	return n, nil
}
