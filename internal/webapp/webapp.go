// Package webapp serves the app: the built files, embedded, with the app's own pages at every
// other path.
//
// Files under assets/ carry a hash in their name and are kept for ever; everything else is asked
// for anew and answered by ETag. The page's <base> is written per request, so one build serves
// under any path a trusted proxy names. The content security policy lets nothing in from anywhere
// else: no third party is asked for anything at run time.
//
// The app is handed in as a file system (web.Files); built without it (tag noui), or before
// `npm run build`, a plain page says so and the API works all the same.
package webapp

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"candor/internal/visit"
)

// App serves one built app.
type App struct {
	files  map[string]*file
	index  string // the page, with a mark where <base> goes
	inline string // hashes of inline scripts, for the policy
	strict bool   // hosts get HSTS: TLS by a public authority
}

type file struct {
	kind   string
	etag   string
	body   []byte
	zipped []byte // nil when that gains nothing
}

// Options say how the app is served.
type Options struct {
	// Strict tells browsers to come by HTTPS only from now on. For own domains with a public
	// certificate; with a local authority it would lock a phone out that has not yet trusted it.
	Strict bool
}

const baseMark = "\x00base\x00"

// New reads the whole app into memory: it is small.
func New(app fs.FS, o Options) (*App, error) {
	a := &App{files: map[string]*file{}, strict: o.Strict}
	err := fs.WalkDir(app, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path.Base(name), ".") {
			return err
		}
		body, err := fs.ReadFile(app, name)
		if err != nil {
			return err
		}
		a.files[name] = newFile(name, body)
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the app: %w", err)
	}
	if page, ok := a.files["index.html"]; ok {
		a.index = markBase(string(page.body))
		a.inline = inlineHashes(a.index)
		delete(a.files, "index.html")
	}
	return a, nil
}

// Built reports whether there is an app to serve.
func (a *App) Built() bool { return a.index != "" }

func newFile(name string, body []byte) *file {
	kind := mime.TypeByExtension(path.Ext(name))
	switch path.Ext(name) {
	case ".js", ".mjs":
		kind = "text/javascript; charset=utf-8"
	case ".webmanifest":
		kind = "application/manifest+json"
	case ".wasm":
		kind = "application/wasm"
	case ".woff2":
		kind = "font/woff2"
	case "":
		kind = "application/octet-stream"
	}
	sum := sha256.Sum256(body)
	f := &file{kind: kind, body: body, etag: `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
	if strings.HasPrefix(kind, "text/") || strings.Contains(kind, "json") || strings.Contains(kind, "svg") || strings.Contains(kind, "wasm") {
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
		_, _ = z.Write(body)
		if z.Close() == nil && b.Len() < len(body)*9/10 {
			f.zipped = b.Bytes()
		}
	}
	return f
}

// ServeHTTP serves a file, or the page.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := visit.Of(r)
	a.secure(w.Header(), v)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	if f, ok := a.files[name]; ok {
		serve(w, r, name, f)
		return
	}
	// A file that is not there is not a page: an old tab asks for last week's chunk, and must not
	// be given HTML for it.
	if name == "assets" || strings.HasPrefix(name, "assets/") || name != "index.html" && path.Ext(name) != "" {
		http.Error(w, http.StatusText(http.StatusNotFound), http.StatusNotFound)
		return
	}
	a.page(w, r, v)
}

func serve(w http.ResponseWriter, r *http.Request, name string, f *file) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "assets/") {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body, etag := f.body, f.etag
	if f.zipped != nil {
		h.Add("Vary", "Accept-Encoding")
		if r.Header.Get("Range") == "" && takesGzip(r) {
			h.Set("Content-Encoding", "gzip")
			body, etag = f.zipped, strings.TrimSuffix(f.etag, `"`)+`-gz"`
		}
	}
	h.Set("ETag", etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

func takesGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if coding == "gzip" && strings.ReplaceAll(q, " ", "") != "q=0" {
			return true
		}
	}
	return false
}

// page serves the app's page with the base path of this request.
func (a *App) page(w http.ResponseWriter, r *http.Request, v visit.Visit) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	if !a.Built() {
		h.Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(unbuilt))
		return
	}
	body := strings.Replace(a.index, baseMark, `<base href="`+html.EscapeString(v.BasePath)+`/">`, 1)
	sum := sha256.Sum256([]byte(body))
	h.Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(sum[:12])+`"`)
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(body))
}

const unbuilt = `<!doctype html><meta charset="utf-8"><title>Candor</title>
<p>This build of Candor holds no app. The API is at api/openapi.json; <code>make</code> builds the app.</p>
<p>此版本的 Candor 不含网页应用。API 说明见 api/openapi.json；运行 <code>make</code> 可构建应用。</p>
`
