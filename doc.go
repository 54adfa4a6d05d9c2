// Package handclasp shakes hands with FTP, mail (SMTP), news (NNTP), rsync, NetBIOS, SMB and SSH services, safely, and
// reports what an outsider learns.
//
// It connects, speaks each protocol just far enough to collect evidence, and leaves. It never logs in with a
// credential, writes, uploads, mails or guesses.
//
// # Where to begin
//
// Each protocol has a package with a Prober, its Evidence, the Rules that judge it, and a Grab that does it all for
// one address:
//
//	e, err := ftp.Grab(ctx, "192.0.2.7:21", nil) // e is a *ftp.Evidence, and valid, if partial, beside an error
//
// For the whole [probe.Result], with its outcome, transcript and JSON form, there is [probe.Run]; for findings,
// [finding.Evaluate] with [Rules], and [finding.Diff] for what is new since another scan; for the software behind a
// banner, package fingerprint; for many targets, package scan; for a port where anything may be, package detect; for
// terminals and files, package report.
// To write a prober of your own, see package probe and check it with package probetest.
//
// # The safety contract
//
//   - Nothing is written that the protocol's guard doesn't name. The guard re-parses each message on its own, knows
//     the [probe.Level], and can't be widened by a caller.
//   - One session reaches one host. What a server says about other hosts is evidence and is never dialled.
//   - No credential is ever tried. FTP's anonymous login has a password that says who is asking. At
//     [probe.LevelAnonymous] SMB sessions are opened that name nobody, and SSH servers are asked for their methods by
//     the method none, and left at once if that lets in.
//   - Time, bytes, lines and connections are bounded, and a canceled context ends a probe within 50 ms.
//
// # What the answers mean
//
// A fact that wasn't learned is "", which is not "no". A refusal is evidence and no error. If something fails, the
// evidence up to there, the transcript and an outcome that says what happened are all there.
package handclasp
