package rtsp

import (
	"bufio"
	"net"
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// script plays an RTSP server that answers OPTIONS properly, DESCRIBE with the given bytes, and
// hangs up. %CSEQ% becomes the header line of the request.
func script(c net.Conn, describe string) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		method, cseq := "", ""
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			line = strings.TrimSpace(line)
			if line == "" {
				break
			}
			if method == "" {
				method, _, _ = strings.Cut(line, " ")
			}
			if v, ok := strings.CutPrefix(line, "CSeq:"); ok {
				cseq = "CSeq: " + strings.TrimSpace(v) + "\r\n"
			}
		}
		if method == "DESCRIBE" {
			_, _ = c.Write([]byte(strings.Replace(describe, "%CSEQ%", cseq, 1)))
			return
		}
		_, _ = c.Write([]byte("RTSP/1.0 200 OK\r\n" + cseq + "Public: DESCRIBE, SETUP, PLAY\r\n\r\n"))
	}
}
