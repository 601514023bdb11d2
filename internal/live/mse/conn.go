package mse

import (
	"bufio"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// sendBuffer bounds what the kernel holds for a slow reader.
const sendBuffer = 512 << 10

// Conn is an accepted WebSocket together with the connection beneath it, which must be reachable
// to throw away what was not sent.
type Conn struct {
	ws  *websocket.Conn
	net net.Conn

	once sync.Once
}

// Accept upgrades a request. It has answered it when it returns an error. The origin must be the
// host's own or match opts.OriginPatterns.
func Accept(w http.ResponseWriter, r *http.Request, opts *websocket.AcceptOptions) (*Conn, error) {
	c := &Conn{}
	ws, err := websocket.Accept(&witness{w, c}, r, opts)
	if err != nil {
		return nil, err
	}
	c.ws = ws
	if b, ok := c.bottom().(interface {
		SetWriteBuffer(int) error
		SetLinger(int) error
	}); ok {
		b.SetWriteBuffer(sendBuffer)
		b.SetLinger(0) // however it is closed, what was not delivered then never will be
	}
	return c, nil
}

// witness remembers the connection that is taken over.
type witness struct {
	http.ResponseWriter
	conn *Conn
}

func (w *witness) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	w.conn.net = c
	return c, rw, err
}

func (w *witness) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// bottom is the connection under TLS and other wrappers.
func (c *Conn) bottom() net.Conn {
	b := c.net
	for {
		w, ok := b.(interface{ NetConn() net.Conn })
		if !ok {
			return b
		}
		b = w.NetConn()
	}
}

// abort resets the connection: what was not delivered never will be.
func (c *Conn) abort() {
	c.once.Do(func() { c.bottom().Close() })
}

// closeWithin says goodbye, for a reader that listens, and is through after d at the latest.
func (c *Conn) closeWithin(d time.Duration, code websocket.StatusCode, reason string) {
	late := time.AfterFunc(d, c.abort)
	c.ws.Close(code, reason)
	late.Stop()
	c.abort()
}
