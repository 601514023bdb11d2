package rtsp

import (
	"io"
	"net"
	"strings"
	"testing"

	"candor/internal/democam"
	"candor/internal/media"
	"candor/internal/problem"
)

func TestACameraIsGreetedWithoutAPassword(t *testing.T) {
	t.Parallel()
	cam := camera(t, &democam.Server{Main: clips + "people.mp4", Username: "u", Password: "secret-word"})
	said, err := Greet(t.Context(), &net.Dialer{}, Address{URL: cam.URL(media.Main), Username: "u", Password: "secret-word"})
	if err != nil || !strings.Contains(said, "gortsplib") || !strings.Contains(said, "Digest") {
		t.Errorf("it says %q, %v", said, err)
	}
	for name, answer := range map[string]string{"a web server": "HTTP/1.1 400 Bad Request\r\n\r\n", "silence": ""} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		heard := make(chan string, 1)
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			b := make([]byte, 4096)
			n, _ := c.Read(b)
			heard <- string(b[:n])
			_, _ = io.WriteString(c, answer)
		}()
		_, err = Greet(t.Context(), &net.Dialer{}, Address{URL: "rtsp://u:secret-word@" + l.Addr().String() + "/x"})
		if !problem.Is(err, CodeNotRTSP) {
			t.Errorf("%s: %v", name, err)
		}
		if h := <-heard; strings.Contains(h, "secret-word") || strings.Contains(h, "u:") || !strings.HasPrefix(h, "OPTIONS ") {
			t.Errorf("it was asked %q", h)
		}
	}
}
