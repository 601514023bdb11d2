package soap

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestMessagesAreReadWithinBounds(t *testing.T) {
	type hello struct {
		Word string `xml:"Body>Hello>Word"`
	}
	for _, c := range []struct {
		name, message, want string
		bad                 bool
	}{
		{"ours", string(Envelope("", `<tds:Hello><tds:Word>a&amp;b</tds:Word></tds:Hello>`)), "a&b", false},
		{"other prefixes", `<?xml version="1.0" encoding="gb2312"?><E:Envelope xmlns:E="x"><E:Body><Hello><w:Word>hi</w:Word></Hello></E:Body></E:Envelope>`, "hi", false},
		{"nothing of it", string(Envelope("", "<x/>")), "", false},
		{"empty", "", "", true},
		{"HTML", "<html><body></body></html>", "", true},
		{"a document type", `<!DOCTYPE x [<!ENTITY a "b">]><Envelope/>`, "", true},
		{"an entity", `<Envelope><Body><Hello><Word>&a;</Word></Hello></Body></Envelope>`, "", true},
		{"cut off", `<Envelope><Body>`, "", true},
		{"crossed", `<Envelope><Body></Envelope></Body>`, "", true},
		{"deep", "<Envelope>" + strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100) + "</Envelope>", "", true},
		{"long", "<Envelope>" + strings.Repeat(" ", MaxBytes) + "</Envelope>", "", true},
		{"many parts", "<Envelope>" + strings.Repeat("<a/>", maxParts) + "</Envelope>", "", true},
		{"bytes that are no text", "<Envelope><Body><Hello><Word>\xff\xfe</Word></Hello></Body></Envelope>", "", true},
		{"unknown encoding", `<?xml version="1.0" encoding="ebcdic"?><Envelope/>`, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var v hello
			err := Read(strings.NewReader(c.message), &v)
			if c.bad != (err != nil) || err != nil && !errors.Is(err, ErrMessage) || v.Word != c.want {
				t.Errorf("got %q, %v", v.Word, err)
			}
		})
	}
}

func TestFaultsAreToldApart(t *testing.T) {
	var v struct {
		Fault *Fault `xml:"Body>Fault"`
	}
	m := Envelope("", `<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value></s:Subcode></s:Code></s:Fault>`)
	if err := Read(bytes.NewReader(m), &v); err != nil || v.Fault == nil {
		t.Fatal(err)
	}
	if !v.Fault.Means("NotAuthorized") || !v.Fault.Means("Sender") || v.Fault.Means("Authorized") || !strings.Contains(v.Fault.Error(), "NotAuthorized") {
		t.Errorf("%+v %v", v.Fault, v.Fault)
	}
}

// The example is that of the ONVIF Application Programmer's Guide, section 6.1.1.3.
func TestTokenIsTheProfiles(t *testing.T) {
	nonce, _ := base64.StdEncoding.DecodeString("LKqI6G/AikKCQrN0zqZFlg==")
	if got := digestOf(nonce, "2010-09-16T07:50:45Z", "userpassword"); got != "tuOSpGlFlIXsozq4HFNeeGeFLEI=" {
		t.Errorf("the digest is %s", got)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	token := Sign("anna", "a & b", now)
	if !token.Fits("a & b", now.Add(time.Minute), 5*time.Minute) {
		t.Error("the right password does not fit")
	}
	if token.Fits("a & c", now, 5*time.Minute) || token.Fits("a & b", now.Add(time.Hour), 5*time.Minute) || (Token{}).Fits("", now, time.Hour) {
		t.Error("a wrong password, or an old token, fits")
	}
	if again := Sign("anna", "a & b", now); again.Nonce == token.Nonce || again.Password == token.Password {
		t.Error("a token is used twice")
	}
	if h := Sign(`<a>`, "b", now).Header(); !strings.Contains(h, "&lt;a&gt;") || strings.Contains(h, "a & b") {
		t.Errorf("the header is %s", h)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`<?xml version="1.0"?><Envelope><Header><Security><UsernameToken><Username>a</Username></UsernameToken></Security></Header><Body><a/></Body></Envelope>`))
	f.Add(Envelope(Sign("a", "b", time.Unix(0, 0)).Header(), "<tds:x/>"))
	f.Add([]byte(`<!DOCTYPE a><Envelope/>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var v struct {
			Token *Token `xml:"Header>Security>UsernameToken"`
			Fault *Fault `xml:"Body>Fault"`
		}
		if err := Read(bytes.NewReader(b), &v); err != nil && !errors.Is(err, ErrMessage) {
			t.Errorf("%v is no ErrMessage", err)
		}
		if v.Token != nil {
			v.Token.Fits("x", time.Unix(0, 0), time.Hour)
		}
		if v.Fault != nil {
			_ = v.Fault.Means("x")
			_ = v.Fault.Error()
		}
	})
}
