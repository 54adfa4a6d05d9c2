package ftp

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/finding/findingtest"
	"github.com/handclasp/handclasp/probe"
)

func result(e *Evidence) *probe.Result {
	return &probe.Result{Protocol: protocol, Target: target, Outcome: probe.OutcomeOK, Evidence: e}
}

func TestRules(t *testing.T) {
	type one = findingtest.Case[*Evidence]
	said := func(r *probe.Reply) *Evidence { return &Evidence{Greeting: r, ImplicitTLS: probe.No} }
	let := func(a Anonymous) *Evidence { return &Evidence{ImplicitTLS: probe.No, Anonymous: a} }
	listed := func(l Listing) *Evidence {
		return let(Anonymous{Login: probe.Yes, UserReply: reply(230), Listing: &l})
	}
	entries := func(list ...Entry) *Evidence { return listed(Listing{Entries: list}) }
	auth := func(fact probe.Fact, r *probe.Reply, features ...string) *Evidence {
		return &Evidence{ImplicitTLS: probe.No, AuthTLS: fact, AuthReply: r, Features: features}
	}
	none := new(Evidence)
	refused := let(Anonymous{Login: probe.No, UserReply: reply(530)})
	inside := &Evidence{ImplicitTLS: probe.Yes}
	unlisted := let(Anonymous{Login: probe.Yes, UserReply: reply(230)})
	hidden := func(code int) *Evidence {
		return let(Anonymous{Login: probe.Yes, UserReply: reply(230), ListingReply: reply(code)})
	}
	writable := Entry{Name: "b", Permissions: "w", Writable: probe.Yes}
	root := Entry{Name: "/", Type: TypeCurrent, Permissions: "c", Writable: probe.Yes}
	findingtest.Rules(t, Rules, result, map[string][]one{
		"ftp.exposed": {
			{Fires: []*Evidence{said(reply(220)), said(reply(120))}, Known: finding.Seen, NotSo: []*Evidence{said(reply(200))}, NotLearned: []*Evidence{none, said(reply(0, "Come again later"))}},
			{Fires: []*Evidence{said(reply(421)), said(reply(450)), said(reply(500)), said(reply(530))}, Known: finding.Seen, Detail: "turns clients away", NotSo: []*Evidence{said(reply(554, "5.7.1 no"))}},
		},
		"ftp.anonymous": {{
			Fires:      []*Evidence{let(Anonymous{Login: probe.Yes, UserReply: reply(230)}), let(Anonymous{Login: probe.Yes, UserReply: reply(331), PassReply: reply(230)})},
			Known:      finding.Seen,
			NotSo:      []*Evidence{refused},
			NotLearned: []*Evidence{none, let(Anonymous{UserReply: reply(331)}), let(Anonymous{UserReply: reply(421)})},
		}},
		"ftp.cleartext-login": {
			{
				Fires: []*Evidence{{CleartextLogin: probe.Yes, CleartextReply: reply(331)}, {CleartextLogin: probe.Yes, CleartextReply: reply(332)}},
				Known: finding.Seen,
				NotSo: []*Evidence{
					{CleartextLogin: probe.No, CleartextReply: reply(530)}, {CleartextLogin: probe.Yes, CleartextReply: reply(230)}, inside,
					{CleartextLogin: probe.No, CleartextReply: reply(530), Anonymous: Anonymous{OverTLS: probe.No, UserReply: reply(331)}},
				},
				NotLearned: []*Evidence{none, {CleartextReply: reply(421)}, let(Anonymous{OverTLS: probe.Yes, UserReply: reply(331)})},
			},
			{Fires: []*Evidence{let(Anonymous{OverTLS: probe.No, UserReply: reply(331)})}, Known: finding.Seen, Detail: "for anonymous; another name got no answer"},
		},
		"ftp.tls-missing": {
			{
				Fires: []*Evidence{auth(probe.No, reply(502)), auth(probe.No, reply(502), "UTF8")}, Known: finding.Seen,
				NotSo:      []*Evidence{auth(probe.Yes, reply(234)), inside},
				NotLearned: []*Evidence{none, auth("", reply(421))},
			},
			{Fires: []*Evidence{auth(probe.No, reply(431), "auth TLS")}, Known: finding.Seen, Detail: "FEAT lists AUTH, which is refused"},
		},
		"ftp.anonymous-listing": {
			{
				Fires: []*Evidence{entries(Entry{Type: TypeCurrent}, Entry{Name: "a", Type: TypeFile})}, Known: finding.Seen, Detail: "1 entry", Items: []string{"a"},
				NotSo:      []*Evidence{entries([]Entry{}...), entries(Entry{Name: ".", Type: TypeCurrent}), listed(Listing{Current: &Entry{Name: ".", Type: TypeCurrent}}), refused, hidden(550), hidden(530), hidden(502)},
				NotLearned: []*Evidence{none, unlisted, hidden(421), hidden(425), hidden(450), hidden(503), hidden(522)},
			},
			{Fires: []*Evidence{entries(Entry{Name: "a"}, Entry{Name: "b"})}, Known: finding.Seen, Detail: "2 entries", Items: []string{"a", "b"}},
			{Fires: []*Evidence{listed(Listing{Unparsed: 1, UnparsedSample: []string{"what?"}})}, Known: finding.Seen, Detail: "1 row in an unknown format"},
			{
				Fires: []*Evidence{listed(Listing{Entries: []Entry{{Name: "a"}}, Unparsed: 9, UnparsedSample: []string{"what?"}})},
				Known: finding.Seen, Detail: "1 entry, 9 rows in an unknown format", Items: []string{"a"},
			},
		},
		"ftp.anonymous-writable": {
			{
				Fires: []*Evidence{entries(Entry{Name: "a"}, writable), entries(writable, writable)}, Known: finding.Claimed, Detail: "b", Items: []string{"b"},
				NotSo: []*Evidence{entries(Entry{Permissions: "r", Writable: probe.No}), entries(Entry{Permissions: "-rw-r--r--"}), refused}, NotLearned: []*Evidence{none, unlisted, hidden(550)},
			},
			{Fires: []*Evidence{entries(root), listed(Listing{Current: &root})}, Known: finding.Claimed, Detail: "/", Items: []string{"/"}},
		},
		"ftp.passive-address-leak": {{
			Fires: []*Evidence{let(Anonymous{PassiveAddress: "10.0.0.5"})}, Known: finding.Seen, Detail: "10.0.0.5", Items: []string{"10.0.0.5"},
			NotSo:      []*Evidence{let(Anonymous{PassiveAddress: "192.0.2.7"}), let(Anonymous{PassiveAddress: "0.0.0.0"}), refused},
			NotLearned: []*Evidence{none, unlisted},
		}},
	})
}

// Many writable entries are all items, and not all of the detail.
func TestWritableItems(t *testing.T) {
	var list []Entry
	for i := range 20 {
		list = append(list, Entry{Name: strings.Repeat("x", i+1), Permissions: "w", Writable: probe.Yes})
	}
	i := slices.IndexFunc(Rules, func(r finding.Rule) bool { return r.ID == "ftp.anonymous-writable" })
	p := Rules[i].Check(result(&Evidence{Anonymous: Anonymous{Login: probe.Yes, Listing: &Listing{Entries: list}}})).Proof()
	require.Len(t, p.Items, 20)
	require.Contains(t, p.Detail, "and 10 more")
}

// What turned out to be something else is no FTP server.
func TestExposedNeedsFTP(t *testing.T) {
	r := result(&Evidence{Greeting: reply(220, "gateway.example.org")})
	require.NotNil(t, exposed(r).Proof())
	r.Outcome = probe.OutcomeNotProtocol
	require.Equal(t, finding.NotLearned(), exposed(r))
}
