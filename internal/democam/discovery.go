package democam

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"

	"candor/internal/onvif/soap"
)

// discovery answers who asks the group for cameras, on the interface of the camera's address.
type discovery struct {
	conn *net.UDPConn
	done chan struct{}
}

var group = &net.UDPAddr{IP: net.IPv4(239, 255, 255, 250), Port: 3702}

func (v *service) discoverable(ctx context.Context, id string) (*discovery, error) {
	at := v.at.Addr().(*net.TCPAddr).IP
	through, err := interfaceOf(at)
	if err != nil {
		return nil, err
	}
	c, err := net.ListenMulticastUDP("udp4", through, group)
	if err != nil {
		return nil, err
	}
	d := &discovery{conn: c, done: make(chan struct{})}
	go func() {
		defer close(d.done)
		b := make([]byte, 16<<10)
		for {
			n, from, err := c.ReadFromUDP(b)
			if err != nil {
				return
			}
			if reply := v.match(b[:n], id); reply != nil {
				if _, err := c.WriteToUDP(reply, from); err != nil {
					v.camera.Log.InfoContext(ctx, "discovery answer not sent", "err", err)
				}
			}
		}
	}()
	return d, nil
}

func (d *discovery) close() {
	_ = d.conn.Close()
	<-d.done
}

// interfaceOf is the interface that has an address.
func interfaceOf(at net.IP) (*net.Interface, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	for i := range all {
		addrs, err := all[i].Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && n.IP.Equal(at) {
				return &all[i], nil
			}
		}
	}
	return nil, fmt.Errorf("no interface has the address %s", at)
}

// match is the answer to a probe, or nil when it asks for something else.
func (v *service) match(b []byte, id string) []byte {
	var q struct {
		MessageID string `xml:"Header>MessageID"`
		Probe     *struct {
			Types string `xml:"Types"`
		} `xml:"Body>Probe"`
	}
	if soap.Read(bytes.NewReader(b), &q) != nil || q.Probe == nil || len(q.MessageID) > 256 {
		return nil
	}
	if t := strings.TrimSpace(q.Probe.Types); t != "" && !strings.Contains(t, "NetworkVideoTransmitter") {
		return nil
	}
	const scope = "onvif://www.onvif.org/"
	name := strings.ReplaceAll(v.camera.name(), " ", "%20")
	return soap.Envelope(
		`<a:MessageID>urn:uuid:`+id+`</a:MessageID><a:RelatesTo>`+soap.Text(q.MessageID)+`</a:RelatesTo>`+
			`<a:To>`+soap.Addressing+`/role/anonymous</a:To><a:Action>`+soap.Discovery+`/ProbeMatches</a:Action>`,
		`<d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:`+id+`</a:Address></a:EndpointReference>`+
			`<d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>`+scope+`type/video_encoder `+scope+`name/`+soap.Text(name)+` `+scope+`hardware/demo</d:Scopes>`+
			`<d:XAddrs>`+v.address(devicePath)+`</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches>`)
}
