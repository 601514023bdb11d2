package rtsp

import (
	"bufio"
	"context"
	"io"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/base"
)

const (
	greetTimeout = 4 * time.Second
	maxGreeting  = 16 << 10
)

// Greet asks whoever is at an address what they can do, without a user name, and gives what they say
// of themselves: the name of their program and, if they have one, of their realm. Both are strangers'
// words, and empty when they say nothing.
func Greet(ctx context.Context, dialer Dialer, a Address) (string, error) {
	t, err := a.target()
	if err != nil {
		return "", err
	}
	t.url.User = nil
	ctx, cancel := context.WithTimeout(ctx, greetTimeout)
	defer cancel()
	way := &tap{dialer: dialer, target: t}
	conn, err := way.dial(ctx, "tcp", t.host)
	if err != nil {
		return "", explain(err, way)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	said := ""
	in := bufio.NewReader(io.LimitReader(conn, maxGreeting))
	for i, method := range []base.Method{base.Options, base.Describe} {
		req := base.Request{Method: method, URL: t.url, Header: base.Header{"CSeq": {[]string{"1", "2"}[i]}, "User-Agent": {"Candor"}}}
		b, err := req.Marshal()
		if err != nil {
			return "", err
		}
		if _, err := conn.Write(b); err != nil {
			return said, explain(err, way)
		}
		var res base.Response
		if err := res.Unmarshal(in); err != nil {
			if said == "" {
				return "", explain(err, way)
			}
			return said, nil
		}
		for _, name := range []string{"Server", "WWW-Authenticate"} {
			for _, v := range res.Header[name] {
				said += v + "\n"
			}
		}
	}
	return said, nil
}
