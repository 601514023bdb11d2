package app

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestANewPasswordEndsTheFeedsOfOtherBrowsers(t *testing.T) {
	w, _ := share(t)
	who := identity{"Fritz Feed", "fritz@house.example", "a slow yellow tram 12"}
	here := w.join(t, who)
	there := w.visitor(t)
	there.signIn(t, who)
	listen := func(p *person) (*bufio.Scanner, context.CancelFunc) {
		ctx, cancel := context.WithTimeout(t.Context(), 12*time.Second) // a feed looks at its session by itself only after fifteen
		req, _ := http.NewRequestWithContext(ctx, "GET", w.base+"/api/v1/events", nil)
		res, err := p.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cancel(); res.Body.Close() })
		in := bufio.NewScanner(res.Body)
		if !in.Scan() {
			t.Fatal(in.Err())
		}
		return in, cancel
	}
	mine, stop := listen(here)
	theirs, _ := listen(there)
	here.call("POST", "/account/password", map[string]any{"current": who.password, "new": "a quick green tram 34"}, nil)
	ended := false
	for theirs.Scan() {
		ended = ended || strings.Contains(theirs.Text(), "session.ended")
	}
	if !ended || theirs.Err() != nil {
		t.Errorf("the other browser's feed goes on: %v", theirs.Err())
	}
	stop()
	for mine.Scan() {
		if strings.Contains(mine.Text(), "session.ended") {
			t.Error("the browser that changed it was cut off too")
		}
	}
}
