package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/finding"
	"github.com/handclasp/handclasp/probe"
	"github.com/handclasp/handclasp/scan"
)

const scanHelp = `Scan endpoints and report what an outsider learns.

A TARGET is
  ftp.example.net          a host: every default port of every protocol is asked
  192.0.2.7:25             a host and a port: the protocol that lives there by default, or the one
                           that greets there; on other ports it is found out
  192.0.2.0/24             a range, of IPv4 or IPv6, up to 16,777,216 addresses; all of
                           them are asked, the first and the last too. [2001:db8::/120]:21
                           asks one port
  ftps://[2001:db8::7]:21  a URL: ftp, smtp, nntp or rsync, with an s if TLS comes first, ssh,
                           netbios-ns (names, over UDP) or netbios-ssn (sessions), smb, or
                           smb+nbt within a NetBIOS session. What it names is asked whoever
                           greets, on any port of a host or a range: ftp://192.0.2.0/24:2121
A name stands for all the addresses that it resolves to.

--input reads more of them, one a line; # begins a remark. CSV is understood, too: as ZMap writes
it (with a header that names saddr, and sport) and as zgrab2 reads it (address, domain, tag, port).

On a port where no protocol lives by default, one connection listens for a greeting, and who is
recognised by it is asked further on the same connection. A server that keeps silent is asked side by
side on a second one whether it speaks SMB, and on a third one whether it speaks TLS, where the
listening begins anew. What no protocol is recognised in is named if what it says tells (http, imap,
mysql …), and left. --detect=false refuses such targets, and lets nobody be recognised elsewhere.

Many targets: the endpoints come in an order that is shuffled over addresses and ports, the same
for the same --seed. --shard 3/16 scans the third of 16 parts; the machines that scan the others
needn't know of it, and all endpoints of a host are in one part. With --resume STATE, give the same
command again after an interrupt, a crash or a full disk: a scan with --format jsonl and --output
goes on where it was, and no endpoint is lost or twice in the file. Where the output is a pipe, the
results of the last second or so may come twice.

What is sent depends on --level; each level does what the one before it does.
  greeting    Nothing. What the server says first is read.
  handshake   What any client asks before it logs in: FEAT, SYST and AUTH TLS (FTP), EHLO and
              STARTTLS (mail), CAPABILITIES, DATE, STARTTLS and a group of a random name (news),
              a module of a random name and the list of modules (rsync), a key exchange for each
              kind of host key (SSH), a TLS handshake; for FTP whether USER of a made-up name gets
              as far as a password prompt, and whether anonymous is let in; for NetBIOS the host's
              own names and the addresses of one, over UDP 137, and whether the file server takes a
              session on 139; for SMB a negotiation of all dialects, of each alone and of SMB1, on a
              connection each, and a login by NTLM up to the server's challenge, which is left
              unanswered.
  anonymous   What is offered to anybody, too: the listing of an anonymous FTP root, the first
              news groups, of each rsync module whether it wants a password, the ways to log in
              that an SSH server names to a made-up user, and the shares that a file server lists
              to a null session (SMB).
Whatever the level, no credential, no mail, no article and no file is ever sent.

Findings say how they are known: seen (in the conversation), claimed (by the server, and not
tried) or inferred (from a version), and by which evidence. With --baseline only those that are
new since an earlier scan are reported; 'handclasp diff' tells of the others, too.`

const exitHelp = `
Exit status:
  0  all endpoints were scanned; refused connections and timeouts are results
  1  a finding is at or above --fail-on, a new one if there is a --baseline; whatever else happened
  3  too little was learned of what the --baseline knows: a group of endpoints was lost at once, nothing
     at all was learned, or more than --fail-unknown wasn't
  2  a wrong flag, a target that can't be used (the others are scanned), trouble with a
     file, a proxy or this system, or an interrupt by Ctrl-C. What was collected until
     then is still written
`

const scanExample = `  handclasp scan ftp.example.net
  handclasp scan --level anonymous --format jsonl --output results.jsonl 192.0.2.0/24
  handclasp scan --ca corporate.pem --fail-on medium smtp://mx1.example.net smtps://mx1.example.net
  handclasp scan --input hosts.txt
  printf 'nntps://news.example.net\n' | handclasp scan --input -
  handclasp scan --baseline last.jsonl --fail-on medium --input hosts.txt
  handclasp scan --resume scan.state --format jsonl --output results.jsonl \
    --exclude-file never.txt --rate 500 --shard 1/4 198.51.100.0/22`

func (a *app) scanCommand() *cobra.Command {
	var o options
	var m many
	var is identity
	cmd := &cobra.Command{
		Use:     "scan [flags] TARGET...",
		Short:   "Scan endpoints and report what an outsider learns",
		Long:    scanHelp,
		Example: scanExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			none := &usageError{errors.New("no targets: name one, or a list with --input"), cmd.CommandPath()}
			if len(args) == 0 && m.input == "" {
				if !a.piped() {
					return none
				}
				m.input, o.none = "-", none
			}
			if err := o.settle(cmd); err != nil {
				return err
			}
			if cmd.Flags().Changed("exclude") && len(m.exclude) == 0 { // an empty variable of a script, rather than a wish
				return &usageError{errors.New("--exclude: nothing is named: give an address, a range or a name, or leave the flag out"), cmd.CommandPath()}
			}
			if o.earlier == "-" && m.input == "-" {
				return &usageError{errors.New("standard input can be the targets or the baseline, not both"), cmd.CommandPath()}
			}
			if o.earlier != "" && o.output != "" && sameFile(o.earlier, o.output) {
				return fmt.Errorf("--baseline: %s is the output, too: what it holds would be lost: name another file for one of them", o.earlier)
			}
			if o.earlier == "" && (cmd.Flags().Changed("fail-unknown") || cmd.Flags().Changed("accept-loss")) {
				return &usageError{errors.New("--fail-unknown and --accept-loss go by what was known: add --baseline"), cmd.CommandPath()}
			}
			return a.interruptible(cmd.Context(), func(ctx context.Context) error { return a.scan(ctx, &o, &m, &is, args) })
		},
	}
	o.register(cmd, 0)
	cmd.Flags().Var(value[string]{&o.ca, parseFile, text, "FILE"}, "ca",
		"judge certificates by the roots in FILE (PEM) instead of the system's")
	cmd.Flags().Var(value[string]{&o.earlier, parseFile, text, "FILE"}, "baseline",
		"report only what is new since FILE, an earlier scan in JSON lines; JSON lines hold everything, and mark it. --fail-on goes by what is new")
	o.losses.register(cmd.Flags())
	cmd.Flags().Var(value[string]{&o.recog, parseFile, text, "DIR"}, "recog",
		"recognise software by the fingerprints in DIR, a checkout of Recog, before those built in")
	o.advice.register(cmd.Flags())
	o.accept.register(cmd.Flags())
	o.choice.register(cmd)
	m.register(cmd, &o.concurrency)
	is.register(cmd)
	cmd.SetUsageTemplate(cmd.UsageTemplate() + exitHelp)
	return cmd
}

// scan is the scan command, its flags read.
func (a *app) scan(ctx context.Context, o *options, m *many, is *identity, args []string) error {
	if err := a.readAccepted(&o.accept); err != nil {
		return err
	}
	all := a
	a, err := o.choice.apply(a)
	if err != nil {
		return err
	}
	if err := o.readRoots(); err != nil {
		return err
	}
	if err := a.readFingerprints(o); err != nil {
		return err
	}
	if err := a.readAdvice(&o.advice); err != nil {
		return err
	}
	if o.earlier != "" {
		// Of what the choice leaves out the baseline knows, too.
		whole := *a
		whole.comparisons = all.comparisons
		for _, r := range all.rules {
			if !slices.ContainsFunc(a.rules, func(mine finding.Rule) bool { return mine.ID == r.ID }) {
				whole.rules = append(slices.Clip(whole.rules), r)
			}
		}
		if o.baseline, err = whole.readBaseline(o); err != nil {
			return err
		}
	}
	dial, err := m.route.Dialer()
	if err != nil {
		return fmt.Errorf("--%w", err) // it begins with the flag's name
	}
	if dial == nil {
		dial = a.dial
	}
	exclusion, err := m.exclusion(ctx)
	if err != nil {
		return err
	}
	is.targets, is.shard, is.seed = append([]string{m.input}, args...), m.shard, m.seed
	j := job{progress: m.progress, repeated: new(int), identity: is, list: true, spread: m.spread}
	if m.resume != "" {
		if j.resume, err = openResumption(m.resume, o); err != nil {
			return err
		}
	}
	is.begin(j.resume)
	j.journal = j.resume.journal()
	m.shard.Networks = m.shard.Count > 0 && m.netSpacing > 0
	order := &scan.EndpointOptions{
		Resolver: a.resolver,
		Seed:     m.seed, InOrder: m.inOrder, Spread: m.spread, Ports: o.choice.ports, Shard: m.shard, Exclude: exclusion, PublicOnly: m.publicOnly, Journal: j.journal,
		NoDetection: !m.detect, GreetingWait: m.greetingWait,
	}
	l, err := a.openList(m.input, args, order)
	if err != nil {
		return err
	}
	defer l.close()
	if l.endpoints >= 0 {
		j.journal.SetTotal(int64(l.endpoints))
	}
	if err := j.resume.check(a.probers, order); err != nil {
		return err
	}
	j.options = scan.Options{Rate: m.rate, PerHost: m.perHost, HostSpacing: m.hostSpacing, NetSpacing: m.netSpacing, Retries: m.retries, Probe: probe.Options{Dial: dial, Contact: o.choice.contact}}
	j.endpoints = func(ctx context.Context) iter.Seq2[scan.Endpoint, error] {
		all := scan.Endpoints(ctx, scan.Once(scan.Concat(scan.Args(args), l.lines(ctx)), func() { *j.repeated++ }), a.probers, order)
		return among(all, o.among)
	}
	return a.run(ctx, o, j)
}

// among leaves out the endpoints that aren't wanted; nil wants all.
func among(all iter.Seq2[scan.Endpoint, error], wanted func(scan.Endpoint) bool) iter.Seq2[scan.Endpoint, error] {
	if wanted == nil {
		return all
	}
	return func(yield func(scan.Endpoint, error) bool) {
		for e, err := range all {
			if (err != nil || wanted(e)) && !yield(e, err) {
				return
			}
		}
	}
}
