// Package pick reads what users choose by: ports, and rules.
package pick

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Ports reads numbers, and ranges of them such as 2121-2130. Each is there once.
func Ports(words []string) (ports []uint16, err error) {
	for _, word := range words {
		first, last, isRange := strings.Cut(word, "-")
		low, err := strconv.ParseUint(first, 10, 16)
		high := low
		if err == nil && isRange {
			high, err = strconv.ParseUint(last, 10, 16)
		}
		if err != nil || low == 0 || high < low {
			return nil, fmt.Errorf("%q: ports are numbers from 1 to 65535, and ranges of them: 21,990,2121-2130", word)
		}
		for n := low; n <= high; n++ {
			if !slices.Contains(ports, uint16(n)) {
				ports = append(ports, uint16(n))
			}
		}
	}
	return ports, nil
}

// Judges reports whether a rule is judged by: one of those that are named, all if none is, and none that is left out. A policy
// is judged by, if it isn't left out, whatever rules are named: it was chosen itself.
func Judges(id string, only, without []string) bool {
	among := func(names []string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return IsOf(id, name) })
	}
	return (only == nil || among(only) || IsOf(id, "policy")) && !among(without)
}

// IsOf reports whether a name is a rule's, or that of its group, what stands before the dot.
func IsOf(id, name string) bool {
	return id == name || strings.HasPrefix(id, strings.TrimSuffix(name, ".")+".")
}
