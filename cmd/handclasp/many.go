package main

import (
	"context"
	"fmt"
	"iter"
	"net/netip"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/handclasp/handclasp/detect"
	"github.com/handclasp/handclasp/dialer"
	"github.com/handclasp/handclasp/internal/pick"
	"github.com/handclasp/handclasp/scan"
)

// many are the flags for many targets.
type many struct {
	input       string
	exclude     []string
	excludeFile string
	publicOnly  bool

	detect       bool
	greetingWait time.Duration

	seed    uint64
	inOrder bool
	spread  bool
	shard   scan.Shard
	resume  string

	rate        float64
	perHost     int
	hostSpacing time.Duration
	netSpacing  time.Duration
	retries     int

	route dialer.Route

	progress time.Duration
}

// defaultRetries is the flag's; the library's is none.
const defaultRetries = 1

func (m *many) register(cmd *cobra.Command, concurrency *int) {
	m.perHost, m.retries, m.greetingWait = scan.DefaultPerHost, defaultRetries, detect.GreetingWait
	f := cmd.Flags()
	f.Var(value[string]{&m.input, parseFile, text, "FILE"}, "input",
		"read more targets from FILE, one a line, or what another scanner wrote; - for standard input")
	f.VarP(value[string]{&m.input, parseFile, text, "FILE"}, "list", "l", "the same as --input")
	f.StringSliceVar(&m.exclude, "exclude", nil, "leave alone `HOSTS`: addresses, ranges and names, with commas between them")
	f.Var(value[string]{&m.excludeFile, parseFile, text, "FILE"}, "exclude-file", "leave alone what FILE holds, one a line")
	f.BoolVar(&m.publicOnly, "public-only", false, "leave alone addresses that are loopback, private or link-local, those of names, too")
	f.BoolVar(&m.detect, "detect", true, "find out what is spoken on a port; --detect=false asks only what lives there by default")
	f.Var(value[time.Duration]{&m.greetingWait, pick.Spacing, showDuration, "DURATION"}, "greeting-wait",
		"how long to listen for a greeting before a silent port is asked what it is")
	f.Var(value[int]{concurrency, pick.Concurrency, strconv.Itoa, "N"}, "concurrency", "how many endpoints to probe at once; much slower ones leave their places, up to eight times N")
	f.Var(value[float64]{&m.rate, pick.Rate, showRate, "N"}, "rate", "at most N new connections a second")
	f.Var(value[int]{&m.perHost, pick.Concurrency, strconv.Itoa, "N"}, "per-host", "how many connections to one address to have at once; FTP's data connections aside")
	f.Var(value[time.Duration]{&m.hostSpacing, pick.Spacing, showDuration, "DURATION"}, "host-spacing",
		"time between two connections to one address")
	f.Var(value[time.Duration]{&m.netSpacing, pick.Spacing, showDuration, "DURATION"}, "net-spacing",
		"time between two connections into one network, a /24 or a /64; --shard keeps networks whole with it")
	f.Var(value[int]{&m.retries, pick.Retries, strconv.Itoa, "N"}, "retries",
		"probe again, up to N times, if there was no way to the host or it hung up without a word")
	f.Var(value[uint64]{&m.seed, parseSeed, func(n uint64) string { return strconv.FormatUint(n, 10) }, "N"}, "seed",
		"another order of the endpoints for each N; the same N gives the same order")
	f.BoolVar(&m.inOrder, "in-order", false, "keep the order of the targets and ports instead of shuffling them")
	f.BoolVar(&m.spread, "spread", false, "shuffle all endpoints among each other, instead of asking a host's near each other")
	f.Var(value[scan.Shard]{&m.shard, scan.ParseShard, showShard, "K/N"}, "shard",
		"scan the K-th of N parts")
	f.Var(value[string]{&m.resume, parseFile, text, "STATE"}, "resume",
		"keep in the file STATE how far the scan has come, and go on from there")
	f.Var(value[string]{&m.route.Proxy, parseURL, text, "URL"}, "proxy", "connect through a SOCKS5 proxy: socks5://127.0.0.1:1080")
	f.Var(value[netip.Addr]{&m.route.Source, pick.Source, showAddr, "ADDRESS"}, "source", "connect from this address of this machine")
	f.Var(value[string]{&m.route.Interface, parseInterface, text, "NAME"}, "interface", "connect by this network interface")
	f.Var(value[time.Duration]{&m.progress, pick.Spacing, showDuration, "DURATION"}, "progress",
		"write a line of progress to standard error this often; a terminal shows a bar without it, and the signal USR1 asks for one line")
}

func showRate(r float64) string {
	if r == 0 {
		return ""
	}
	return strconv.FormatFloat(r, 'g', -1, 64)
}

func showDuration(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

func parseSeed(text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("a number from 0 to %d is needed", uint64(1<<64-1))
	}
	return n, nil
}

func showShard(s scan.Shard) string {
	if s == (scan.Shard{}) {
		return ""
	}
	return s.String()
}

func parseURL(text string) (string, error) {
	_, err := dialer.Route{Proxy: text}.Dialer()
	return text, err
}

func showAddr(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func parseInterface(text string) (string, error) {
	if text == "" {
		return "", fmt.Errorf("name an interface")
	}
	return text, nil
}

// exclusion reads what is to be left alone.
func (m *many) exclusion(ctx context.Context) (*scan.Exclusion, error) {
	flag := func(yield func(scan.Input, error) bool) {
		for _, text := range m.exclude {
			if !yield(scan.Input{Text: text, Place: "--exclude"}, nil) {
				return
			}
		}
	}
	inputs := []iter.Seq2[scan.Input, error]{flag}
	if m.excludeFile != "" {
		file, err := os.Open(m.excludeFile)
		if err != nil {
			return nil, fmt.Errorf("--exclude-file: %w: name a file with one address, range or name a line", err)
		}
		defer file.Close()
		if info, err := file.Stat(); err == nil && info.IsDir() {
			return nil, fmt.Errorf("--exclude-file: %s: it is a directory: name a file with one address, range or name a line", m.excludeFile)
		}
		inputs = append(inputs, scan.Lines(ctx, m.excludeFile, file))
	}
	return scan.Exclude(ctx, scan.Concat(inputs...), nil)
}
