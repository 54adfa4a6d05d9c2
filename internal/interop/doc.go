// Package interop holds the tests against real servers, the ones that people run. It has no code of its own.
//
// The script .ci/interop-servers installs the servers on Debian 12. A server that is missing skips its tests; with
// HANDCLASP_INTEROP=required in the environment it fails them, and with HANDCLASP_INTEROP=skip none is looked for. Servers
// that can't be installed side by side are looked for in private roots, $HANDCLASP_INTEROP_ROOT/<package>/, by default
// .cache/interop in the module's root.
//
// HANDCLASP_SCANS=50 go test -run TestNothingFlaps scans each server so often, and as often again on a machine that it keeps
// busy, with a second for each: what flaps then is in the results' partial.
//
// A report's page is tested in headless Chromium; go test -run TestPage -artifacts keeps pictures of it.
//
// Every server listens on loopback only, on free ports, from a temporary configuration, and is ended by the process id
// that the test started.
package interop
