package smtp

import (
	"fmt"
	"strings"

	"github.com/handclasp/handclasp/probe"
)

// Banners implements [probe.BannerEvidence]. Replies other than the greeting have their codes, as fingerprints of them
// do.
func (e *Evidence) Banners() []probe.Banner {
	if e == nil {
		return nil
	}
	return []probe.Banner{
		{Kind: "smtp.banner", Source: "greeting", Text: e.Greeting.Text()},
		{Kind: "smtp.ehlo", Source: "ehlo", Text: coded(e.EHLO)},
		{Kind: "smtp.ehlo", Source: "helo", Text: coded(e.HELO)},
		{Kind: "smtp.ehlo", Source: "ehlo_after_tls", Text: coded(e.EHLOAfterTLS)},
		{Kind: "smtp.vrfy", Source: "vrfy_reply", Text: coded(e.VRFYReply)},
	}
}

// coded returns a reply as it is on the wire, its lines ended by "\n" only between them.
func coded(r *probe.Reply) string {
	if r == nil {
		return ""
	}
	code := fmt.Sprintf("%03d", r.Code)
	var b strings.Builder
	for i, line := range r.Lines {
		separator := byte('-')
		if i == len(r.Lines)-1 {
			separator = ' '
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(code)
		b.WriteByte(separator)
		b.WriteString(line)
	}
	return b.String()
}
