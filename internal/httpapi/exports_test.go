package httpapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
)

var (
	annasCopy = id.Export{1: 7, 6: 0x70, 8: 0x80}
	zipFile   = bytes.Repeat([]byte("a copy of everything, "), 9000)
)

func (s exports) Begin(_ context.Context, p permit.Permit, a id.Account, password, lang string) (httpapi.Export, error) {
	if err := s.called("export", p, a, id.Binding{}); err != nil {
		return httpapi.Export{}, err
	}
	if password != "right" {
		return httpapi.Export{}, problem.Forbidden("password.wrong")
	}
	return httpapi.Export{ID: annasCopy, State: "preparing", Link: "api/v1/exports/token.zip"}, nil
}

func (s exports) List(_ context.Context, p permit.Permit) ([]httpapi.Export, error) {
	if g, _ := p.Grant(); g.Subject != id.SubjectOf(s.anna.account) {
		return nil, nil
	}
	return []httpapi.Export{{ID: annasCopy, State: "ready"}}, nil
}

func (s exports) End(_ context.Context, p permit.Permit, which id.Export) (httpapi.Export, error) {
	if g, _ := p.Grant(); g.Subject != id.SubjectOf(s.anna.account) || which != annasCopy {
		return httpapi.Export{}, problem.NotFound()
	}
	return httpapi.Export{ID: which, State: "ended"}, nil
}

func (s exports) Open(_ context.Context, l *permit.Lease, which id.Export) (httpapi.Copy, error) {
	if l.Grant().Subject != id.SubjectOf(s.anna.account) || which != annasCopy {
		return nil, problem.NotFound()
	}
	return &file{Reader: bytes.NewReader(zipFile)}, nil
}

func (s exports) Link(ctx context.Context, token, _ string) (*permit.Lease, httpapi.Copy, error) {
	f := &file{Reader: bytes.NewReader(zipFile)}
	switch token {
	case "token":
	case "torn":
		f.torn = 100_000
	case "old":
		f.old = true
	case "over":
		return nil, nil, problem.Gone("export.ended")
	default:
		return nil, nil, problem.NotFound()
	}
	return permit.NewIssuer(s.clock).Lease(ctx, permit.Grant{}), f, nil
}

func (s reports) List(_ context.Context, p permit.Permit, b id.Binding) ([]httpapi.Report, error) {
	return []httpapi.Report{{Code: "camera.timeout"}}, s.called("reports", p, id.Account{}, b)
}

func (s notices) Mine(_ context.Context, p permit.Permit, _ string) ([]httpapi.Notice, error) {
	return []httpapi.Notice{{Kind: "incident"}}, s.called("notices", p, id.Account{}, id.Binding{})
}

func (s notices) Open(context.Context, string) ([]httpapi.Notice, error) {
	return []httpapi.Notice{{Kind: "closing"}}, nil
}

func (s notices) Seen(context.Context, permit.Permit, id.Row) error { return problem.NotFound() }

// file is a zip file that may break.
type file struct {
	*bytes.Reader
	torn int64 // where it breaks
	old  bool
	err  error
}

func (f *file) Read(b []byte) (int, error) {
	at, _ := f.Seek(0, io.SeekCurrent)
	if f.torn > 0 && at >= f.torn {
		f.err = errors.New("a film went")
		return 0, f.err
	}
	return f.Reader.Read(b)
}
func (*file) Close() error  { return nil }
func (*file) ETag() string  { return `"copy"` }
func (f *file) Size() int64 { return f.Reader.Size() }
func (f *file) Err() error  { return f.err }
func (f *file) Complete(from, _ int64) error {
	if f.old && from < 1000 {
		return problem.Gone("export.parts_gone")
	}
	return nil
}

func TestACopyIsDownloadedAndResumed(t *testing.T) {
	w := newWorld(t)
	w.want(w.do(request{as: &w.anna, method: "POST", path: "/api/v1/privacy/exports", body: `{"password":"wrong"}`}), 403, "password.wrong")
	w.want(w.do(request{as: &w.anna, method: "POST", path: "/api/v1/privacy/exports", body: bodies["beginExport"]}), 202, "")
	own := "/api/v1/exports/" + annasCopy.String() + ".zip"
	for _, c := range []struct {
		as     *person
		path   string
		header map[string]string
		status int
		code   string
		from   int // to the end; -1: nothing
	}{
		{&w.anna, own, nil, 200, "", 0},
		{nil, "/api/v1/exports/token.zip", nil, 200, "", 0},
		{nil, "/api/v1/exports/token.zip", map[string]string{"Range": "bytes=77-"}, 206, "", 77},
		{nil, "/api/v1/exports/token.zip", map[string]string{"Range": "bytes=77-", "If-Range": `"copy"`}, 206, "", 77},
		{nil, "/api/v1/exports/token.zip", map[string]string{"Range": "bytes=77-", "If-Range": `"another"`}, 200, "", 0},
		{nil, "/api/v1/exports/token.zip", map[string]string{"If-None-Match": `"copy"`}, 304, "", -1},
		{nil, "/api/v1/exports/token.zip", map[string]string{"Range": "bytes=0-1,5-6"}, 200, "", 0},
		{nil, "/api/v1/exports/token.zip", map[string]string{"Range": fmt.Sprintf("bytes=%d-", len(zipFile))}, 416, "", -1},
		{nil, own, nil, 401, "session.needed", -1},
		{&w.ben, own, nil, 404, "not_found", -1},
		{nil, "/api/v1/exports/token", nil, 404, "not_found", -1},
		{nil, "/api/v1/exports/guess.zip", nil, 404, "not_found", -1},
		{nil, "/api/v1/exports/over.zip", nil, 410, "export.ended", -1},
		{nil, "/api/v1/exports/old.zip", nil, 410, "export.parts_gone", -1},
		{nil, "/api/v1/exports/old.zip", map[string]string{"Range": "bytes=1000-"}, 206, "", 1000},
	} {
		rec := w.do(request{as: c.as, method: "GET", path: c.path, header: c.header})
		if rec.Code != c.status {
			t.Errorf("%s %v: %d, want %d", c.path, c.header, rec.Code, c.status)
			continue
		}
		if c.code != "" {
			w.want(rec, c.status, c.code)
		}
		if c.from >= 0 && !bytes.Equal(rec.Body.Bytes(), zipFile[c.from:]) {
			t.Errorf("%s %v: %d bytes", c.path, c.header, rec.Body.Len())
		}
		if c.status < 300 && (rec.Header().Get("ETag") != `"copy"` || rec.Header().Get("Content-Type") != "application/zip" ||
			!strings.Contains(rec.Header().Get("Content-Disposition"), "candor-copy.zip") || rec.Header().Get("Accept-Ranges") != "bytes") {
			t.Errorf("%s: %v", c.path, rec.Header())
		}
	}
	if w.open() != 0 {
		t.Errorf("%d leases are open", w.open())
	}
	// Broken off at any byte and gone on with, it is the whole.
	rng := rand.New(rand.NewPCG(5, 6))
	for range 40 {
		at := rng.IntN(len(zipFile))
		rest := w.do(request{method: "GET", path: "/api/v1/exports/token.zip", header: map[string]string{"Range": fmt.Sprintf("bytes=%d-", at), "If-Range": `"copy"`}})
		if rest.Code != http.StatusPartialContent || !bytes.Equal(rest.Body.Bytes(), zipFile[at:]) {
			t.Fatalf("from %d: %d, %d bytes", at, rest.Code, rest.Body.Len())
		}
	}
}

// TestATornCopyIsNoWhole: the connection is broken off, so that no browser takes a part for the file.
func TestATornCopyIsNoWhole(t *testing.T) {
	w := newWorld(t)
	defer func() {
		if got := recover(); got != http.ErrAbortHandler {
			t.Errorf("the answer ends with %v", got)
		}
	}()
	w.do(request{method: "GET", path: "/api/v1/exports/torn.zip"})
	t.Error("the answer ended in order")
}
