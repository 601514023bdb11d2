package app

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"os"

	"candor/internal/account"
	"candor/internal/app/door"
	"candor/internal/config"
	"candor/internal/egress"
	"candor/internal/notify/mail"
	"candor/internal/passport"
	"candor/words"
)

// post wires mail: by the operator's server, into the outbox, or not at all.
func (h *house) post(ctx context.Context) error {
	server, err := mailServer(h.config.SMTP)
	if err != nil {
		return err
	}
	h.mail = &mail.Room{DB: h.db, Keeper: h.keys, Gate: h.gate, Clock: h.clock, Log: h.room("mail"), Server: server, Dial: mailDial(h.egress, h.config.SMTP.Host)}
	if h.config.Mail.Outbox && server == nil {
		h.mail.Outbox = &mail.Outbox{}
	}
	if err := h.mail.Start(ctx); err != nil {
		return err
	}
	h.closing("mail", h.mail.Close)
	h.people.Mail, h.people.Words, h.people.SignUps = door.Letters{Mail: h.mail}, words.Sentence, account.Door(h.config.Accounts.SignUp)
	h.people.Invited = h.shares.Invited
	return nil
}

// mailServer is what the settings say of the server; nil is none.
func mailServer(c config.SMTP) (*mail.Server, error) {
	if c.Host == "" {
		return nil, nil
	}
	s := &mail.Server{Host: c.Host, Port: c.Port, TLS: mail.TLS(c.TLS), Username: c.Username, Password: c.Password.Reveal(), From: c.From}
	if c.Roots != "" {
		pem, err := os.ReadFile(c.Roots)
		if err != nil {
			return nil, fmt.Errorf("smtp.roots: %w", err)
		}
		s.Roots = x509.NewCertPool()
		if !s.Roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("smtp.roots: %s holds no certificate in PEM form", c.Roots)
		}
	}
	return s, nil
}

// mailDial reaches the mail server as a registered recipient. The operator names it, so it may stand
// in their own network.
func mailDial(out *egress.Room, host string) mail.Dial {
	return func(ctx context.Context, p passport.Purpose, address string) (net.Conn, error) {
		third, err := out.Third(egress.Recipient{
			Name: "smtp", Purpose: p, Fields: []string{"e-mail address", "subject and text of the message"}, Hosts: []string{host}, Private: true,
		})
		if err != nil {
			return nil, err
		}
		return third.DialContext(ctx, "tcp", address)
	}
}
