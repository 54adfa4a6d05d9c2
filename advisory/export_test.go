package advisory

import (
	"maps"
	"slices"
)

// Products returns the names by which products are known here.
func Products() []string {
	names := map[string]bool{}
	for _, k := range builtinTable() {
		for _, p := range k.products {
			names[p] = true
		}
	}
	for p := range packages {
		names[p] = true
	}
	for p := range lifeCycles {
		names[p] = true
	}
	for p := range builtinCarriers() {
		names[p] = true
	}
	return slices.Sorted(maps.Keys(names))
}
