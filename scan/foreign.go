package scan

import (
	"cmp"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Lists that other scanners write: masscan (-oL, -oJ, -oX), nmap (-oX, -oG), naabu and httpx (JSON lines), ZMap's JSON.
// Of what they tell open ports count; what wasn't open, and hosts without a port, are no targets.

// udpSchemes are the ports over UDP that are asked.
var udpSchemes = map[string]string{"137": "netbios-ns"}

// endpointText writes a target for an open port; empty for one that is asked by no protocol here.
func endpointText(host, port, network string) string {
	if network == "udp" {
		scheme := udpSchemes[port]
		if scheme == "" {
			return ""
		}
		return scheme + "://" + net.JoinHostPort(host, port)
	}
	return net.JoinHostPort(host, port)
}

// foreign makes targets of a line that another scanner wrote; false if it isn't one.
func foreign(text string) (targets []foreignTarget, ok bool, err error) {
	switch {
	case text == "[" || text == "]" || text == ",":
		return nil, true, nil
	case strings.HasPrefix(text, "{"), strings.HasPrefix(text, "[{"):
		targets, err = ofJSON(strings.TrimSuffix(strings.TrimPrefix(text, "["), ","))
		return targets, true, err
	case strings.HasPrefix(text, "Host: "):
		return ofGrepable(text), true, nil
	}
	return ofList(text)
}

// A foreignTarget is one open port.
type foreignTarget struct{ text, name, tag string }

// ofList reads "open tcp 21 192.0.2.7 1700000000", as masscan -oL writes it.
func ofList(text string) (targets []foreignTarget, ok bool, err error) {
	if !strings.Contains(text, "tcp") && !strings.Contains(text, "udp") {
		return nil, false, nil
	}
	fields := strings.Fields(text)
	if len(fields) < 4 || fields[1] != "tcp" && fields[1] != "udp" {
		return nil, false, nil
	}
	if _, err := netip.ParseAddr(fields[3]); err != nil {
		return nil, false, nil
	}
	if target := endpointText(fields[3], fields[2], fields[1]); fields[0] == "open" && target != "" {
		targets = []foreignTarget{{text: target}}
	}
	return targets, true, nil
}

// ofGrepable reads "Host: 192.0.2.7 (ftp.example.net)	Ports: 21/open/tcp//ftp///, 22/closed/tcp//ssh///", as nmap -oG writes it.
func ofGrepable(text string) (targets []foreignTarget) {
	host, _, _ := strings.Cut(strings.TrimPrefix(text, "Host: "), " ")
	_, ports, _ := strings.Cut(text, "Ports: ")
	ports, _, _ = strings.Cut(ports, "\t")
	for entry := range strings.SplitSeq(ports, ",") {
		fields := strings.Split(strings.TrimSpace(entry), "/")
		if len(fields) < 3 || fields[1] != "open" {
			continue
		}
		if target := endpointText(host, fields[0], fields[2]); target != "" {
			targets = append(targets, foreignTarget{text: target})
		}
	}
	return targets
}

// foreignJSON are the fields that say where something is open: ip and ports (masscan), host, ip and port (naabu, httpx), saddr
// and sport (ZMap).
type foreignJSON struct {
	IP       string          `json:"ip"`
	Host     string          `json:"host"`
	Saddr    string          `json:"saddr"`
	Port     json.RawMessage `json:"port"`
	Sport    json.RawMessage `json:"sport"`
	Protocol string          `json:"protocol"`
	Tag      string          `json:"tag"`
	Failed   bool            `json:"failed"`
	Finished *int            `json:"finished"` // the end of some versions of masscan
	Ports    []struct {
		Port   json.RawMessage `json:"port"`
		Proto  string          `json:"proto"`
		Status string          `json:"status"`
	} `json:"ports"`
}

func ofJSON(text string) (targets []foreignTarget, err error) {
	var j foreignJSON
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		if strings.Contains(text, "finished") { // {finished: 1} is how masscan ends, and no JSON
			return nil, nil
		}
		return nil, fmt.Errorf("not JSON on a line of its own: %w", err)
	}
	host, name := cmp.Or(j.IP, j.Saddr, j.Host), ""
	if _, err := netip.ParseAddr(j.Host); err != nil && host != j.Host {
		name = j.Host
	}
	add := func(port json.RawMessage, network string) error {
		text, err := portOf(port)
		if err != nil {
			return err
		}
		if target := endpointText(host, text, network); target != "" {
			targets = append(targets, foreignTarget{target, name, j.Tag})
		}
		return nil
	}
	switch {
	case j.Finished != nil || j.Failed:
		return nil, nil
	case host == "":
		return nil, errors.New("the object names no host: one with ip, host or saddr is needed, and port, sport or ports")
	case j.Ports != nil:
		for _, p := range j.Ports {
			if p.Status == "open" {
				err = errors.Join(err, add(p.Port, p.Proto))
			}
		}
		return targets, err
	case j.Port == nil && j.Sport == nil:
		return []foreignTarget{{host, name, j.Tag}}, nil
	case j.Port == nil:
		j.Port = j.Sport
	}
	return targets, add(j.Port, j.Protocol)
}

// portOf reads 21, "21" or {"Port": 21}.
func portOf(raw json.RawMessage) (string, error) {
	var n uint16
	var text string
	var inner struct{ Port uint16 }
	switch {
	case json.Unmarshal(raw, &n) == nil:
	case json.Unmarshal(raw, &text) == nil:
		if _, err := parsePort(text); err != nil {
			return "", err
		}
		return text, nil
	case json.Unmarshal(raw, &inner) == nil:
		n = inner.Port
	default:
		return "", fmt.Errorf("port %s: a port is a number from 1 to 65535", raw)
	}
	return strconv.Itoa(int(n)), nil
}

// isXML reports whether a list begins as nmap's and masscan's XML does.
func isXML(beginning []byte) bool {
	text := strings.TrimPrefix(string(beginning), "\uFEFF")
	return strings.HasPrefix(text, "<?xml") || strings.HasPrefix(text, "<nmaprun") || strings.HasPrefix(text, "<!DOCTYPE nmaprun")
}

// readXML sends the open ports of nmap's and masscan's XML, a host at a time.
func readXML(r io.Reader, send func(line) bool) {
	d := xml.NewDecoder(r)
	d.CharsetReader = func(_ string, input io.Reader) (io.Reader, error) { return input, nil } // what counts is ASCII
	var host, port, network string
	for {
		token, err := d.Token()
		if err == io.EOF {
			return
		}
		at, _ := d.InputPos()
		if err != nil {
			send(line{number: at, err: &readError{fmt.Errorf("the XML breaks off: %w", err)}})
			return
		}
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		get := func(name string) string {
			for _, a := range element.Attr {
				if a.Name.Local == name {
					return a.Value
				}
			}
			return ""
		}
		switch element.Name.Local {
		case "host":
			host = ""
		case "address":
			if get("addrtype") != "mac" && host == "" {
				host = get("addr")
			}
		case "port":
			port, network = get("portid"), get("protocol")
		case "state":
			if get("state") == "open" && host != "" && port != "" {
				if text := endpointText(host, port, network); text != "" && !send(line{text: text, number: at, target: true}) {
					return
				}
			}
			port = ""
		}
	}
}
