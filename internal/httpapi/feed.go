package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"candor/internal/permit"
	"candor/internal/problem"
)

// beat is how often a quiet feed says that it is alive, and its session is looked at again.
const beat = 15 * time.Second

func (a *API) feed() {
	a.raw(Route{Method: http.MethodGet, Path: "/api/v1/events", ID: "listen", Summary: "What happens, as it happens (server-sent events)", Auth: Session, Action: permit.CameraList, Tag: "events"},
		func(op *huma.Operation) {
			op.Parameters = append(op.Parameters, &huma.Param{Name: "Last-Event-ID", In: "header", Schema: &huma.Schema{Type: huma.TypeString}, Description: "Go on after this event"})
			answers(op, http.StatusOK, "camera.state, camera.recording, camera.added, camera.removed, share.changed, camera.motion, event.opened, event.changed, event.closed, event.seen, notice, session.ended; resync: read everything anew", "text/event-stream")
		}, a.listen)
}

func (a *API) listen(w http.ResponseWriter, r *http.Request) {
	in := of(r.Context())
	last := r.Header.Get("Last-Event-ID")
	f, missed, whole := a.events.subscribe(in.caller.Account, in.caller.Session, last, a.limits.Feeds)
	if f == nil {
		a.fail(w, r, problem.New(http.StatusTooManyRequests, "events.too_many").With("retry_after", "10"))
		return
	}
	defer a.events.unsubscribe(in.caller.Account, f)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)

	s := &stream{w: w, out: http.NewResponseController(w)}
	if !whole {
		s.send(a.events.now(), "resync", struct{}{})
	} else if len(missed) == 0 {
		s.comment("listening")
	}
	for _, m := range missed {
		s.send(a.events.name(m.seq), m.Type, m.Data)
	}
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for s.err == nil {
		select {
		case <-r.Context().Done():
			return
		case <-a.drain:
			return
		case <-f.end:
			if _, err := a.deps.Sessions.Session(r.Context(), in.token); err != nil {
				s.send("", "session.ended", struct{}{})
			}
			return
		case m := <-f.news:
			s.send(a.events.name(m.seq), m.Type, m.Data)
		case <-tick.C:
			if _, err := a.deps.Sessions.Session(r.Context(), in.token); err != nil {
				s.send("", "session.ended", struct{}{})
				return
			}
			s.comment("alive")
		}
	}
}

// stream writes events and remembers the first failure.
type stream struct {
	w   http.ResponseWriter
	out *http.ResponseController
	err error
}

func (s *stream) send(id, kind string, data any) {
	b, err := json.Marshal(data)
	if err != nil {
		s.err = err
		return
	}
	if id != "" {
		id = "id: " + id + "\n"
	}
	s.write(fmt.Sprintf("%sevent: %s\ndata: %s\n\n", id, kind, b))
}

func (s *stream) comment(text string) { s.write(": " + text + "\n\n") }

func (s *stream) write(text string) {
	if s.err != nil {
		return
	}
	_ = s.out.SetWriteDeadline(time.Now().Add(writeTime))
	if _, s.err = s.w.Write([]byte(text)); s.err == nil {
		s.err = s.out.Flush()
	}
}
