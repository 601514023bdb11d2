package httpapi

import (
	"net/http"
	"strings"
	"time"

	"candor/internal/promise"
	"candor/internal/visit"
)

const sessionCookie = "candor_session"

// cookieName is the session cookie's name for a way here. With TLS at / it has the prefix that
// makes browsers insist on Secure, Path=/ and no Domain (RFC 6265bis, __Host-). Only that name is
// read then, so a cookie that plain HTTP or a sister host planted is not.
func cookieName(v visit.Visit) string {
	if v.Secure && v.BasePath == "" {
		return "__Host-" + sessionCookie
	}
	return sessionCookie
}

// newCookie carries a session's token. It is opaque, out of reach of scripts and of other sites.
//
// promise:P289
func newCookie(v visit.Visit, token string, now, expires time.Time) *http.Cookie {
	c := &http.Cookie{
		Name: cookieName(v), Value: token, Path: v.BasePath + "/",
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: v.Secure && !promise.Cut("P289"),
	}
	if token == "" {
		c.MaxAge = -1
		return c
	}
	c.MaxAge = max(int(expires.Sub(now)/time.Second), 1)
	return c
}

// agent names the kind of client, coarsely: enough for a person to recognise their own, too
// little to tell two people apart.
func agent(userAgent string) string {
	pick := func(names ...[2]string) string {
		for _, n := range names {
			if strings.Contains(userAgent, n[0]) {
				return n[1]
			}
		}
		return ""
	}
	browser := pick([2]string{"Edg", "Edge"}, [2]string{"OPR/", "Opera"}, [2]string{"SamsungBrowser", "Samsung Internet"}, [2]string{"MicroMessenger", "WeChat"},
		[2]string{"Firefox/", "Firefox"}, [2]string{"FxiOS", "Firefox"}, [2]string{"CriOS", "Chrome"}, [2]string{"Chrome/", "Chrome"},
		[2]string{"Safari/", "Safari"}, [2]string{"curl/", "curl"}, [2]string{"Go-http-client", "program"})
	system := pick([2]string{"iPhone", "iPhone"}, [2]string{"iPad", "iPad"}, [2]string{"Android", "Android"}, [2]string{"Windows", "Windows"},
		[2]string{"CrOS", "ChromeOS"}, [2]string{"Mac OS X", "macOS"}, [2]string{"Linux", "Linux"})
	switch {
	case browser == "":
		return "unknown"
	case system == "":
		return browser
	}
	return browser + " on " + system
}
