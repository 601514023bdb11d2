package webapp_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"candor/internal/promise"
	"candor/internal/visit"
	"candor/internal/webapp"
)

const page = `<!doctype html><html><head><meta charset="utf-8"><base href="/" /><script>dark()</script><script src="./theme.js"></script></head><body></body></html>`

func newApp(t *testing.T, o webapp.Options) *webapp.App {
	t.Helper()
	a, err := webapp.New(fstest.MapFS{
		"index.html":            {Data: []byte(page)},
		".keep":                 {Data: []byte("secret")},
		"app.webmanifest":       {Data: []byte(`{}`)},
		"assets/index-abc.js":   {Data: []byte(strings.Repeat("export const a = 1;\n", 500))},
		"assets/picture-ab.png": {Data: []byte("png")},
	}, o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func get(a *webapp.App, v visit.Visit, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r.WithContext(visit.With(r.Context(), v)))
	return w
}

var home = visit.Visit{Secure: true, Host: "cameras.example"}

func TestPagesFilesAndWhatIsNotThere(t *testing.T) {
	a := newApp(t, webapp.Options{})
	for path, want := range map[string]struct {
		status int
		cache  string
		kind   string
	}{
		"/":                      {200, "no-cache", "text/html; charset=utf-8"},
		"/index.html":            {200, "no-cache", "text/html; charset=utf-8"},
		"/cameras/0193/timeline": {200, "no-cache", "text/html; charset=utf-8"},
		"/assets/index-abc.js":   {200, "public, max-age=31536000, immutable", "text/javascript; charset=utf-8"},
		"/assets/picture-ab.png": {200, "public, max-age=31536000, immutable", "image/png"},
		"/app.webmanifest":       {200, "no-cache", "application/manifest+json"},
		"/assets/index-old.js":   {404, "", ""},
		"/assets/":               {404, "", ""},
		"/favicon.ico":           {404, "", ""},
		"/.keep":                 {404, "", ""},
		"/../../etc/passwd":      {200, "no-cache", "text/html; charset=utf-8"},
	} {
		w := get(a, home, path)
		if w.Code != want.status || want.status == 200 && (w.Header().Get("Cache-Control") != want.cache || w.Header().Get("Content-Type") != want.kind) {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
		if strings.Contains(w.Body.String(), "root:") || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s gives away %s", path, w.Body)
		}
	}
	r := httptest.NewRequest("POST", "/", nil)
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}

func TestTheBasePathIsWrittenPerRequest(t *testing.T) {
	a := newApp(t, webapp.Options{})
	for base, want := range map[string]string{"": `<base href="/">`, "/x/y": `<base href="/x/y/">`} {
		w := get(a, visit.Visit{Host: "h", BasePath: base}, "/settings")
		if !strings.Contains(w.Body.String(), want) || strings.Count(w.Body.String(), "<base") != 1 {
			t.Errorf("%q: %s", base, w.Body)
		}
		again := get(a, visit.Visit{Host: "h", BasePath: base}, "/settings", "If-None-Match", w.Header().Get("ETag"))
		if again.Code != http.StatusNotModified {
			t.Errorf("%q: asked again %d", base, again.Code)
		}
	}
	bare, _ := webapp.New(fstest.MapFS{"index.html": {Data: []byte("<html><head><title>x</title>")}}, webapp.Options{})
	if w := get(bare, home, "/"); !strings.Contains(w.Body.String(), `<head><base href="/"><title>`) {
		t.Errorf("a page without base: %s", w.Body)
	}
}

func TestFilesAreCompressed(t *testing.T) {
	a := newApp(t, webapp.Options{})
	w := get(a, home, "/assets/index-abc.js", "Accept-Encoding", "br, gzip")
	if w.Header().Get("Content-Encoding") != "gzip" || w.Body.Len() > 500 {
		t.Fatalf("%v, %d bytes", w.Header(), w.Body.Len())
	}
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(z); err != nil || len(b) != 10000 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	for _, no := range []string{"", "br", "gzip;q=0"} {
		if w := get(a, home, "/assets/index-abc.js", "Accept-Encoding", no); w.Header().Get("Content-Encoding") != "" || w.Body.Len() != 10000 {
			t.Errorf("%q: %v", no, w.Header())
		}
	}
}

var elsewhere = regexp.MustCompile(`(\*|https?:|//[a-z])`)

func TestNothingComesFromElsewhere(t *testing.T) {
	promise.Proves(t, "P221", "P254")
	a := newApp(t, webapp.Options{})
	for _, path := range []string{"/", "/assets/index-abc.js", "/none.js"} {
		h := get(a, home, path).Header()
		csp := h.Get("Content-Security-Policy")
		if left := strings.ReplaceAll(csp, "wss://cameras.example", ""); elsewhere.MatchString(left) {
			t.Errorf("%s: the policy names somebody else: %s", path, csp)
		}
		for _, want := range []string{"default-src 'none'", "script-src 'self' 'sha256-", "connect-src 'self' wss://cameras.example", "frame-ancestors 'none'", "base-uri 'self'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: the policy lacks %s", path, want)
			}
		}
		script, _, _ := strings.Cut(csp[strings.Index(csp, "script-src"):], ";")
		if strings.Contains(script, "unsafe") {
			t.Errorf("%s: scripts: %s", path, script)
		}
		if h.Get("X-Frame-Options") != "DENY" || h.Get("Referrer-Policy") != "same-origin" || h.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.Contains(h.Get("Permissions-Policy"), "geolocation=()") || h.Get("Strict-Transport-Security") != "" || h.Get("Set-Cookie") != "" {
			t.Errorf("%s: headers %v", path, h)
		}
	}
	framed := home
	framed.Framed = true
	if h := get(a, framed, "/").Header(); !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'self'") || h.Get("X-Frame-Options") != "" {
		t.Errorf("inside a trusted proxy's page: %v", h)
	}
	strict := newApp(t, webapp.Options{Strict: true})
	if h := get(strict, home, "/").Header(); h.Get("Strict-Transport-Security") == "" {
		t.Error("an own domain is not strict")
	}
	if h := get(strict, visit.Visit{Host: "localhost"}, "/").Header(); h.Get("Strict-Transport-Security") != "" {
		t.Error("plain HTTP is strict")
	}
}

func TestWithoutAnApp(t *testing.T) {
	a, err := webapp.New(fstest.MapFS{".keep": {}}, webapp.Options{})
	if err != nil || a.Built() {
		t.Fatalf("%v, built %v", err, a.Built())
	}
	if w := get(a, home, "/"); w.Code != 404 || !strings.Contains(w.Body.String(), "holds no app") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
