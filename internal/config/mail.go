package config

import (
	"net/mail"
	"net/netip"
)

// checkMail reports settings of mail that do not fit each other.
func (l *Loaded) checkMail(bad func(path, format string, a ...any)) {
	s := l.SMTP
	if s.Host == "" {
		for path, text := range map[string]string{"smtp.username": s.Username, "smtp.password": s.Password.Reveal(), "smtp.from": s.From, "smtp.roots": s.Roots} {
			if text != "" {
				bad(path, "smtp.host is missing, so no mail is sent")
			}
		}
		return
	}
	if l.Mail.Outbox {
		bad("mail.outbox", "smtp.host is set as well; mail is either sent or shown")
	}
	if s.Port < 1 || s.Port > 65535 {
		bad("smtp.port", "%d is not a port; servers listen on 587 (starttls) or 465 (tls)", s.Port)
	}
	if a, err := mail.ParseAddress(s.From); err != nil || len(a.Address) > 254 {
		bad("smtp.from", "%q is not an e-mail address; write candor@example.org or Candor <candor@example.org>", s.From)
	}
	if (s.Username == "") != (s.Password == "") {
		bad("smtp.username", "smtp.username and smtp.password belong together; leave both out for a server that asks for neither")
	}
	if at, err := netip.ParseAddr(s.Host); s.TLS == MailNoTLS && s.Host != "localhost" && (err != nil || !at.IsLoopback()) {
		bad("smtp.tls", "none is for a mail server on this machine; others could read along")
	}
}
