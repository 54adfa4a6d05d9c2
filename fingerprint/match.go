package fingerprint

import "github.com/handclasp/handclasp/probe"

// A Match is what a fingerprint says about a text.
type Match struct {
	// Name describes the fingerprint.
	Name string
	// Params are what it tells, such as "service.product" and "host.name". Those of CPE names end in ".cpe23" and are
	// formatted strings of version 2.3 (NISTIR 7695 §6.2), in which "*" stands for what isn't known. A param that the text
	// doesn't tell is missing.
	Params map[string]string
}

// Software returns the service, the operating system and the device that the match names, in this order; what it doesn't
// name is left out. The source is the evidence that the text is from, such as "greeting".
func (m Match) Software(source string) []probe.Software {
	var list []probe.Software
	for _, part := range []string{"service", "os", "hw"} {
		s := probe.Software{
			Vendor: m.Params[part+".vendor"], Product: m.Params[part+".product"], Version: m.Params[part+".version"],
			CPE: m.Params[part+".cpe23"], Source: source, Hint: m.Params[part+".hint"],
		}
		if part == "service" {
			s.Distribution, s.PackageRevision = m.Params["package.distribution"], m.Params["package.revision"]
		}
		if s.Product != "" {
			list = append(list, s)
		}
	}
	return list
}
