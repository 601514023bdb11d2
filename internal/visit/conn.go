package visit

import (
	"context"
	"net"
)

type connKey struct{}

// WithConn puts the connection that requests come over into the context.
func WithConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, bottom(c))
}

// bottom is the connection under TLS and other wrappers.
func bottom(c net.Conn) net.Conn {
	for {
		w, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return c
		}
		c = w.NetConn()
	}
}

// Hurry bounds what the kernel holds for a reader that is slower than we write.
func Hurry(ctx context.Context, bytes int) {
	if c, ok := ctx.Value(connKey{}).(interface{ SetWriteBuffer(int) error }); ok {
		_ = c.SetWriteBuffer(bytes)
	}
}

// Cut resets the connection: what was not delivered never will be. Without a connection in the
// context it does nothing.
func Cut(ctx context.Context) {
	c, ok := ctx.Value(connKey{}).(net.Conn)
	if !ok || c == nil {
		return
	}
	if l, ok := c.(interface{ SetLinger(int) error }); ok {
		_ = l.SetLinger(0)
	}
	_ = c.Close()
}
