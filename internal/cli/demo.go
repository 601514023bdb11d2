package cli

import (
	"fmt"
	"net"
	"strconv"

	"candor/internal/app"
	"candor/internal/config"
)

type demo struct {
	Data   string `default:"data/demo" help:"Data folder."`
	Listen string `help:"Address to listen on; port 0 takes a free one."`
	Clip   string `type:"existingfile" help:"MP4 that the demo camera shows as its main stream."`
	Sub    string `type:"existingfile" help:"MP4 that it shows as its sub stream."`
}

func (d demo) Run(r *run) error {
	if d.Listen != "" {
		r.settings["http.listen"] = d.Listen
	}
	c, err := r.load()
	if err != nil {
		return err
	}
	if c.From["data_dir"] == "" {
		c.DataDir = d.Data
	}
	makeWay(c)
	welcome(c)
	return app.Serve(r.ctx, app.Options{Config: c.Config, Out: r.out, Err: r.err, Demo: &app.Demo{Main: d.Clip, Sub: d.Sub}})
}

// welcome lets whoever tries Candor out sign up, with mail to read on the page, where nobody said
// otherwise.
func welcome(c *config.Loaded) {
	if c.From["accounts.sign_up"] == "" {
		c.Accounts.SignUp = config.SignUpOpen
	}
	if c.From["mail.outbox"] == "" {
		c.Mail.Outbox = c.SMTP.Host == ""
	}
}

// makeWay takes the next free ports where something else has those that nobody chose: a demo
// shall start.
func makeWay(c *config.Loaded) {
	if c.From["http.listen"] == "" {
		if host, port, err := net.SplitHostPort(c.HTTP.Listen); err == nil {
			n, _ := strconv.Atoi(port)
			c.HTTP.Listen = net.JoinHostPort(host, strconv.Itoa(free(n, host)))
		}
	}
	if c.From["webrtc.udp_port"] == "" && c.From["webrtc.tcp_port"] == "" {
		n := free(c.WebRTC.UDPPort, "")
		c.WebRTC.UDPPort, c.WebRTC.TCPPort = n, n
	}
}

// free is the first port from n on that nobody has.
func free(n int, host string) int {
	for p := n; p < n+100; p++ {
		at := net.JoinHostPort(host, fmt.Sprint(p))
		l, err := net.Listen("tcp", at)
		if err != nil {
			continue
		}
		_ = l.Close()
		u, err := net.ListenPacket("udp", at)
		if err != nil {
			continue
		}
		_ = u.Close()
		return p
	}
	return n
}
