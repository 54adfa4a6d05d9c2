package dialer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"golang.org/x/net/proxy"

	"github.com/handclasp/handclasp/probe"
)

// ErrProxy is matched by the error of a result whose target wasn't tried, since the proxy of its [Route] can't be
// reached, or won't serve.
var ErrProxy = errors.New("the proxy")

// throughProxy returns a dialer that goes through a proxy, which forward reaches.
func throughProxy(text string, forward probe.DialFunc) (probe.DialFunc, error) {
	const want = "write socks5://HOST:PORT"
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme == "" || u.Host == "":
		return nil, fmt.Errorf("proxy: not a URL: %s", want)
	case u.Scheme == "socks5h":
		return nil, fmt.Errorf("proxy: names are resolved here and not by the proxy: %s", want)
	case u.Scheme != "socks5":
		return nil, fmt.Errorf("proxy: %q isn't spoken: %s", u.Scheme, want)
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("proxy: a path, query or fragment: %s", want)
	}
	address := u.Host
	if u.Port() == "" {
		address = net.JoinHostPort(u.Hostname(), "1080") // RFC 1928 §3
	}
	var auth *proxy.Auth
	if u.User != nil {
		password, _ := u.User.Password()
		auth = &proxy.Auth{User: u.User.Username(), Password: password}
	}
	d, err := proxy.SOCKS5("tcp", address, auth, toProxy(forward))
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	through := d.(proxy.ContextDialer)
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if network != string(probe.TCP) {
			return nil, probe.Errorf("dial", probe.OutcomeUnreachable, "%w: a SOCKS5 proxy carries TCP only, and this is %s", ErrNoWay, network)
		}
		c, err := through.DialContext(ctx, network, address)
		if err != nil && ctx.Err() == nil {
			err = proxyError(err)
		}
		return c, err
	}, nil
}

// toProxy marks errors on the way to the proxy: one that refuses says nothing of the target.
type toProxy probe.DialFunc

func (d toProxy) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

func (d toProxy) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := d(ctx, network, address)
	if err != nil && ctx.Err() == nil {
		err = probe.Errorf("dial", probe.OutcomeUnreachable, "%w %s can't be reached: %w", ErrProxy, address, err)
	}
	return c, err
}

// socksReplies are what the replies of RFC 1928 §6 say of the target, by the words of package proxy.
var socksReplies = map[string]probe.Outcome{
	"connection refused":  probe.OutcomeRefused,
	"network unreachable": probe.OutcomeUnreachable,
	"host unreachable":    probe.OutcomeUnreachable,
	"TTL expired":         probe.OutcomeUnreachable,
}

// proxyError tells what the proxy says of the target from trouble with the proxy.
func proxyError(err error) error {
	var known *probe.Error
	if errors.As(err, &known) {
		return known
	}
	var slow net.Error
	if errors.As(err, &slow) && slow.Timeout() { // as the proxy waits for the target
		return probe.Errorf("dial", probe.OutcomeTimeout, "no answer through the proxy: %w", err)
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	text := strings.TrimPrefix(err.Error(), "unknown error ")
	if o, ok := socksReplies[text]; ok {
		return probe.Errorf("dial", o, "the proxy says: %s", text)
	}
	return probe.Errorf("dial", probe.OutcomeUnreachable, "%w: %s", ErrProxy, text)
}
