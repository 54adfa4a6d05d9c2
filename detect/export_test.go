package detect

// ServiceName names the service that begins so.
var ServiceName = serviceName

// PatternName names it by all patterns, whatever their openings say.
func PatternName(said []byte) string {
	text := latin1(said[:min(len(said), greetingKept)])
	for _, n := range names {
		if n.begins.compile().MatchString(text) {
			return n.service
		}
	}
	return ""
}
