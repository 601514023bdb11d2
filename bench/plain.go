package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
	_ "modernc.org/sqlite" // the engine that Candor uses

	"candor/internal/account"
)

// plain answers a few of Candor's addresses from plain rows: what a careful program does without a policy. It
// has the same engine and durability, hashed passwords and session tokens, and every statement names its person. It has
// no sealing, no gate, no access log, no register and no receipts, and it deletes by DELETE.
type plain struct{ write, read *sql.DB }

const plainSchema = `
CREATE TABLE person (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, salt BLOB NOT NULL, password BLOB NOT NULL) STRICT;
CREATE TABLE session (token BLOB PRIMARY KEY, person INTEGER NOT NULL) STRICT;
CREATE TABLE camera (id TEXT PRIMARY KEY, person INTEGER NOT NULL, name TEXT NOT NULL, address TEXT NOT NULL, days INTEGER NOT NULL) STRICT;
CREATE INDEX camera_person ON camera (person);
CREATE TABLE consent (id INTEGER PRIMARY KEY, person INTEGER NOT NULL, purpose TEXT NOT NULL, state TEXT NOT NULL, text TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE INDEX consent_person ON consent (person);
CREATE TABLE access (id INTEGER PRIMARY KEY, person INTEGER NOT NULL, action TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE INDEX access_person ON access (person);`

// startPlain serves the control on loopback, from the process of the bench.
func startPlain(ctx context.Context, file string) (*server, func(), error) {
	dsn := (&url.URL{Scheme: "file", Opaque: url.PathEscape(file)}).String() +
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=secure_delete(1)&_pragma=busy_timeout(10000)"
	p := &plain{}
	var err error
	if p.write, err = sql.Open("sqlite", dsn); err != nil {
		return nil, nil, err
	}
	p.write.SetMaxOpenConns(1)
	if _, err := p.write.ExecContext(ctx, plainSchema); err != nil {
		return nil, nil, err
	}
	if p.read, err = sql.Open("sqlite", dsn); err != nil {
		return nil, nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	h := &http.Server{Handler: p.routes(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = h.Serve(l) }()
	stop := func() { _ = errors.Join(h.Close(), p.write.Close(), p.read.Close()) }
	return &server{base: "http://" + l.Addr().String(), hash: "plain"}, stop, nil
}

func (p *plain) routes() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("POST /api/v1/sign-up", p.signUp)
	for pattern, answer := range map[string]func(*http.Request, int64, map[string]any) (any, error){
		"GET /account":            p.account,
		"PATCH /account":          p.rename,
		"GET /cameras":            p.cameras,
		"POST /cameras":           p.add,
		"GET /cameras/{id}":       p.camera,
		"PATCH /cameras/{id}":     p.keep,
		"DELETE /cameras/{id}":    p.remove,
		"GET /consents":           p.consents,
		"PUT /consents/{purpose}": p.decide,
		"GET /privacy/held":       p.held,
		"GET /privacy/access":     p.accesses,
	} {
		method, path, _ := strings.Cut(pattern, " ")
		m.HandleFunc(method+" /api/v1"+path, p.as(answer))
	}
	return m
}

// as finds out who asks, then asks answer.
func (p *plain) as(answer func(*http.Request, int64, map[string]any) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie("session")
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		var who int64
		hash := sha256.Sum256([]byte(c.Value))
		if err := p.read.QueryRowContext(r.Context(), "SELECT person FROM session WHERE token = ?", hash[:]).Scan(&who); err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		in := map[string]any{}
		if r.ContentLength > 0 {
			if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
		}
		out, err := answer(r, who, in)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(out)
	}
}

// stretch is how Candor hashes a password, too.
func stretch(password string, salt []byte) []byte {
	return argon2.IDKey([]byte(password), salt, account.DefaultCost.Time, account.DefaultCost.Memory, account.DefaultCost.Threads, 32)
}

func (p *plain) signUp(w http.ResponseWriter, r *http.Request) {
	var in struct{ Email, Password string }
	salt := make([]byte, 16)
	_, _ = rand.Read(salt)
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	made, err := p.write.ExecContext(r.Context(), "INSERT INTO person (email, name, salt, password) VALUES (?, 'Member', ?, ?)", in.Email, salt, stretch(in.Password, salt))
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	who, _ := made.LastInsertId()
	token := rand.Text()
	hash := sha256.Sum256([]byte(token))
	if _, err := p.write.ExecContext(r.Context(), "INSERT INTO session (token, person) VALUES (?, ?)", hash[:], who); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: "session", Value: token, Path: "/", HttpOnly: true})
}

func (p *plain) account(r *http.Request, who int64, _ map[string]any) (any, error) {
	return p.list(r, "SELECT email, name FROM person WHERE id = ?", who)
}

func (p *plain) rename(r *http.Request, who int64, in map[string]any) (any, error) {
	if err := p.set(r, "UPDATE person SET name = ? WHERE id = ?", in["name"], who); err != nil {
		return nil, err
	}
	return p.account(r, who, in)
}

func (p *plain) cameras(r *http.Request, who int64, _ map[string]any) (any, error) {
	return p.list(r, "SELECT id, name, days FROM camera WHERE person = ?", who)
}

func (p *plain) camera(r *http.Request, who int64, _ map[string]any) (any, error) {
	return p.list(r, "SELECT id, name, days FROM camera WHERE person = ? AND id = ?", who, r.PathValue("id"))
}

func (p *plain) add(r *http.Request, who int64, in map[string]any) (any, error) {
	key := rand.Text()
	return map[string]string{"id": key}, p.set(r, "INSERT INTO camera (id, person, name, address, days) VALUES (?, ?, ?, ?, 7)", key, who, in["name"], in["address"])
}

func (p *plain) keep(r *http.Request, who int64, in map[string]any) (any, error) {
	days := in["retention"].(map[string]any)["days"]
	return nil, p.set(r, "UPDATE camera SET days = ? WHERE id = ? AND person = ?", days, r.PathValue("id"), who)
}

func (p *plain) remove(r *http.Request, who int64, in map[string]any) (any, error) {
	var salt, want []byte
	if err := p.read.QueryRowContext(r.Context(), "SELECT salt, password FROM person WHERE id = ?", who).Scan(&salt, &want); err != nil {
		return nil, err
	}
	said, _ := in["password"].(string)
	if !bytes.Equal(stretch(said, salt), want) {
		return nil, errors.New("a wrong password")
	}
	return nil, p.set(r, "DELETE FROM camera WHERE id = ? AND person = ?", r.PathValue("id"), who)
}

func (p *plain) consents(r *http.Request, who int64, _ map[string]any) (any, error) {
	return p.list(r, "SELECT purpose, state, text, at FROM consent WHERE person = ? ORDER BY id", who)
}

func (p *plain) decide(r *http.Request, who int64, in map[string]any) (any, error) {
	return nil, p.set(r, "INSERT INTO consent (person, purpose, state, text, at) VALUES (?, ?, ?, ?, ?)", who, r.PathValue("purpose"), in["state"], in["text_hash"], time.Now().UnixMilli())
}

func (p *plain) held(r *http.Request, who int64, _ map[string]any) (any, error) {
	return p.list(r, `SELECT 'camera', count(*) FROM camera WHERE person = ?1 UNION ALL SELECT 'consent', count(*) FROM consent WHERE person = ?1
		UNION ALL SELECT 'session', count(*) FROM session WHERE person = ?1 UNION ALL SELECT 'access', count(*) FROM access WHERE person = ?1`, who)
}

func (p *plain) accesses(r *http.Request, who int64, _ map[string]any) (any, error) {
	return p.list(r, "SELECT action, at FROM access WHERE person = ? ORDER BY id DESC LIMIT 50", who)
}

func (p *plain) set(r *http.Request, query string, args ...any) error {
	_, err := p.write.ExecContext(r.Context(), query, args...)
	return err
}

// list is all rows as JSON would have them.
func (p *plain) list(r *http.Request, query string, args ...any) (any, error) {
	rows, err := p.read.QueryContext(r.Context(), query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	out := []map[string]any{}
	for rows.Next() {
		row, to := make([]any, len(names)), make([]any, len(names))
		for i := range row {
			to[i] = &row[i]
		}
		if err := rows.Scan(to...); err != nil {
			return nil, err
		}
		m := map[string]any{}
		for i, n := range names {
			m[n] = row[i]
		}
		out = append(out, m)
	}
	return out, rows.Err()
}
