// Package advisory says what is known of the software that package fingerprint names: whether it still gets security
// updates, and which vulnerabilities it has. It uses no network and no clock: a stored result is judged by its own time,
// so that it gets the same verdicts for ever from the same data, whose digest each verdict carries.
//
// What is told decides what is said:
//
//   - A package's revision, as in "OpenSSH_9.2p1 Debian-2+deb12u3": the distribution's data decides, release by release,
//     and the verdict is claimed by the server.
//   - A distribution without a revision: nothing, since distributions mend faults without a new version.
//   - A version alone: what the built-in table knows of it, inferred, of medium severity at most, or high if it is known
//     to be exploited.
//
// A [Judge] works with what is built in. [LoadLifeCycle] reads newer facts from endoflife.date, and a [Builder] makes an
// [Index] of what Debian, Ubuntu and Alpine publish in the OSV format, CISA's catalogue of exploited vulnerabilities and
// FIRST's scores.
package advisory
