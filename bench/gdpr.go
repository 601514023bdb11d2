package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

const (
	gdprPeople = 60
	gdprOps    = 1000 // a mix, as in GDPRbench
	gdprRounds = 3
	gdprZipf   = 1.1
)

// mix is one role of GDPRbench (Shastri et al., VLDB 2020) with the shares of its operations.
type mix struct {
	role  string
	zipf  bool // the paper draws customers by Zipf, the rest evenly
	parts []part
}

type part struct {
	name  string
	share int // of a hundred
	do    func(context.Context, *server, *gdprPerson) error
}

// gdprPerson is somebody with a record: an account, decisions, a camera.
type gdprPerson struct {
	camera string
	given  bool
	n      int
}

// mixes are those of the paper, said in what Candor keeps. Its fourth workload, the regulator's, is described
// there and missing from the published code: half its operations read the log, half verify until when things stay.
var mixes = []mix{
	{"controller", false, []part{
		{"insert", 25, addRecord}, {"delete", 25, dropRecord}, {"update-by-purpose", 25, decide}, {"update-by-user", 25, rename},
	}},
	{"customer", true, []part{
		{"read", 20, get("/account")}, {"update", 20, rename}, {"delete", 20, dropRecord},
		{"read-by-purpose", 10, get("/consents")}, {"read-by-user", 10, get("/privacy/held")},
		{"update-metadata-by-purpose", 10, decide}, {"update-metadata-by-user", 10, keepFor},
	}},
	{"processor", false, []part{
		{"read", 20, readRecord}, {"read-by-purpose", 40, get("/consents")}, {"read-by-user", 40, get("/cameras")},
	}},
	{"regulator", false, []part{
		{"read-log", 50, get("/privacy/access")}, {"verify-ttl", 50, get("/privacy/held")},
	}},
}

// gdpr runs the four roles against Candor on SQLite and against the same API over plain rows in the same engine:
// without sealing, gate, access log and policy. One connection, one operation at a time.
func gdpr(ctx context.Context, b *bench) error {
	rounds := b.n
	if rounds == 0 {
		rounds = gdprRounds
	}
	var sides []*side
	add := func(name string, more ...string) (func(), error) {
		s, err := startServer(ctx, b, name, append(more, "--mail.outbox=true", "--accounts.sign_up=open")...)
		if err != nil {
			return nil, err
		}
		enter := func(ctx context.Context, c *server, email string) error { return c.join(ctx, s, email, "") }
		sides = append(sides, &side{name: name, root: s, enter: enter})
		return s.stop, nil
	}
	stop, err := add("sqlite")
	if err != nil {
		return err
	}
	defer stop()
	if url := os.Getenv("BENCH_POSTGRES"); url != "" {
		stop, err := add("postgres", "--database="+url)
		if err != nil {
			return err
		}
		defer stop()
	}
	plain, stop, err := startPlain(ctx, filepath.Join(b.dir, "plain.db"))
	if err != nil {
		return err
	}
	defer stop()
	sides = append(sides, &side{name: "plain", root: plain, enter: func(ctx context.Context, c *server, email string) error {
		return c.call(ctx, "POST", "/sign-up", map[string]any{"email": email, "password": password}, nil)
	}})
	for _, d := range sides {
		say("gdpr: %s: %d people sign up", d.name, gdprPeople)
		for i := range gdprPeople {
			if err := d.join(ctx, i); err != nil {
				return fmt.Errorf("%s, person %d: %w", d.name, i, err)
			}
		}
	}
	for _, m := range mixes {
		took, whole := map[string][]float64{}, map[string][]float64{}
		for round := range rounds {
			for i := range sides {
				d := sides[(i+round)%len(sides)] // in turns, and another one first
				t, err := d.run(ctx, m, uint64(round))
				if err != nil {
					return fmt.Errorf("%s as %s: %w", d.name, m.role, err)
				}
				took[d.name] = append(took[d.name], t...)
				whole[d.name] = append(whole[d.name], sum(t))
			}
		}
		for _, d := range sides {
			name := "gdpr_" + m.role + "_" + d.name
			b.add(of(name+"_p50_ms", "ms", 0.5, took[d.name]), of(name+"_p95_ms", "ms", 0.95, took[d.name]))
			if d.name == "plain" {
				continue
			}
			var ratios []float64
			for i, t := range whole[d.name] {
				ratios = append(ratios, t/whole["plain"][i])
			}
			b.add(of(name+"_to_plain", "ratio", 0.5, ratios))
			say("gdpr: %s: on %s %.3g times as long as plain rows", m.role, d.name, quantile(slices.Sorted(slices.Values(ratios)), 0.5))
		}
	}
	return nil
}

func sum(of []float64) (all float64) {
	for _, v := range of {
		all += v
	}
	return all
}

// side is one of the two systems with its people, each signed in.
type side struct {
	name    string
	root    *server
	enter   func(ctx context.Context, c *server, email string) error // signs up
	clients []*server
	people  []*gdprPerson
}

// join makes one more person, who comes from an address of their own, as people do.
func (d *side) join(ctx context.Context, i int) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(i+1))}}
	c := &server{base: d.root.base, hash: d.root.hash, client: &http.Client{Jar: jar, Timeout: time.Minute, Transport: &http.Transport{DialContext: from.DialContext}}}
	if err := d.enter(ctx, c, "person"+strconv.Itoa(i)+"@bench.example"); err != nil {
		return err
	}
	p := &gdprPerson{}
	if err := addRecord(ctx, c, p); err != nil {
		return err
	}
	d.clients, d.people = append(d.clients, c), append(d.people, p)
	return nil
}

// run does one round of a mix: the same operations on the same people for both sides. What puts a record back that
// was deleted, or takes one away that was inserted, is not timed.
func (d *side) run(ctx context.Context, m mix, seed uint64) ([]float64, error) {
	rng := rand.New(rand.NewPCG(seed, 4))
	zipf := rand.NewZipf(rng, gdprZipf, 1, gdprPeople-1)
	took := make([]float64, 0, gdprOps)
	for range gdprOps {
		who := rng.IntN(gdprPeople)
		if m.zipf {
			who = int(zipf.Uint64())
		}
		op := m.pick(rng.IntN(100))
		c, p := d.clients[who], d.people[who]
		if op.name == "insert" && p.camera != "" {
			if err := dropRecord(ctx, c, p); err != nil {
				return nil, err
			}
		}
		began := time.Now()
		if err := op.do(ctx, c, p); err != nil {
			return nil, fmt.Errorf("%s: %w", op.name, err)
		}
		took = append(took, milli(time.Since(began)))
		if p.camera == "" {
			if err := addRecord(ctx, c, p); err != nil {
				return nil, err
			}
		}
	}
	return took, nil
}

func (m mix) pick(n int) part {
	for _, p := range m.parts {
		if n -= p.share; n < 0 {
			return p
		}
	}
	return m.parts[len(m.parts)-1]
}

func get(path string) func(context.Context, *server, *gdprPerson) error {
	return func(ctx context.Context, s *server, _ *gdprPerson) error { return s.call(ctx, "GET", path, nil, nil) }
}

func addRecord(ctx context.Context, s *server, p *gdprPerson) error {
	var made struct{ ID string }
	err := s.call(ctx, "POST", "/cameras", map[string]any{
		"name": "Front door", "address": "rtsp://192.0.2.7/stream1", "recording": "refused", "recording_text_hash": s.hash,
	}, &made)
	p.camera = made.ID
	return err
}

func dropRecord(ctx context.Context, s *server, p *gdprPerson) error {
	gone := p.camera
	p.camera = ""
	return s.call(ctx, "DELETE", "/cameras/"+gone, map[string]any{"password": password}, nil)
}

func readRecord(ctx context.Context, s *server, p *gdprPerson) error {
	return s.call(ctx, "GET", "/cameras/"+p.camera, nil, nil)
}

func rename(ctx context.Context, s *server, p *gdprPerson) error {
	p.n++
	return s.call(ctx, "PATCH", "/account", map[string]any{"name": "Person " + strconv.Itoa(p.n)}, nil)
}

func keepFor(ctx context.Context, s *server, p *gdprPerson) error {
	p.n++
	return s.call(ctx, "PATCH", "/cameras/"+p.camera, map[string]any{"retention": map[string]any{"days": 1 + p.n%7, "bytes": 0}}, nil)
}

func decide(ctx context.Context, s *server, p *gdprPerson) error {
	p.given = !p.given
	state := "withdrawn"
	if p.given {
		state = "given"
	}
	return s.call(ctx, "PUT", "/consents/recording", map[string]any{"state": state, "text_hash": s.hash}, nil)
}
