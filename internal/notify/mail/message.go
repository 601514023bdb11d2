package mail

import (
	"fmt"
	netmail "net/mail"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"candor/internal/id"
	"candor/internal/passport"
)

// Message is one letter.
type Message struct {
	Tenant  id.Tenant
	Account id.Account // whose letter it is; zero for somebody without an account
	To      string
	Subject string // one line
	Text    string
	Stop    string // the address that ends such letters at a click (RFC 8058); may be empty

	Purpose  passport.Purpose // why it is sent; "" is security
	Until    time.Time        // not sent later than this; zero is Keep from now
	Fleeting bool             // carries a code: waits in memory only
}

// Keep is how long a letter waits for a server at the longest.
const Keep = 3 * 24 * time.Hour

const (
	maxSubject = 200      // characters
	maxText    = 64 << 10 // bytes
)

// neat is the message as it is sent, or why it cannot be. Nothing that a name or a text holds can
// become a header or a second recipient.
func (m Message) neat() (Message, error) {
	to, err := netmail.ParseAddress(m.To)
	if err != nil || to.Address != m.To || strings.ContainsFunc(m.To, unicode.IsControl) {
		return Message{}, fmt.Errorf("mail: the address is none")
	}
	m.Subject = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(m.Subject, ""), func(r rune) bool { return unicode.IsControl(r) || r == ' ' }), " ")
	if n := utf8.RuneCountInString(m.Subject); n == 0 {
		return Message{}, fmt.Errorf("mail: a letter needs a subject")
	} else if n > maxSubject {
		m.Subject = string([]rune(m.Subject)[:maxSubject])
	}
	m.Text = strings.ToValidUTF8(strings.ReplaceAll(m.Text, "\r\n", "\n"), "")
	if m.Text == "" || len(m.Text) > maxText {
		return Message{}, fmt.Errorf("mail: a letter has 1 to %d bytes of text", maxText)
	}
	if m.Stop != "" {
		if at, err := url.Parse(m.Stop); err != nil || at.Host == "" || strings.ContainsAny(m.Stop, "<> \r\n\t") {
			return Message{}, fmt.Errorf("mail: the address that ends letters is none")
		}
	}
	if m.Purpose == "" {
		m.Purpose = passport.Security
	}
	return m, nil
}
