package media

import (
	"sync"

	"candor/internal/id"
)

// Hub knows every running stream by its key.
type Hub struct {
	mu      sync.RWMutex
	streams map[Key]*Stream
}

// NewHub makes a hub without streams.
func NewHub() *Hub { return &Hub{streams: map[Key]*Stream{}} }

// Open is the stream of that key, made if it is not there. Whoever feeds it calls this.
func (h *Hub) Open(key Key) *Stream {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, ok := h.streams[key]
	if !ok {
		s = newStream(key)
		h.streams[key] = s
	}
	return s
}

// Stream is the stream of that key, if there is one.
func (h *Hub) Stream(key Key) (*Stream, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	s, ok := h.streams[key]
	return s, ok
}

// Streams is every stream there is, in no order.
func (h *Hub) Streams() []*Stream {
	h.mu.RLock()
	defer h.mu.RUnlock()
	all := make([]*Stream, 0, len(h.streams))
	for _, s := range h.streams {
		all = append(all, s)
	}
	return all
}

// Close ends every stream of a device; a later Open makes a new one.
func (h *Hub) Close(device id.Device) {
	h.mu.Lock()
	var ended []*Stream
	for key, s := range h.streams {
		if key.Device == device {
			ended = append(ended, s)
			delete(h.streams, key)
		}
	}
	h.mu.Unlock()
	for _, s := range ended {
		s.Close()
	}
}
