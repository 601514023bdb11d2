package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"strings"

	"candor/internal/egress"
	"candor/internal/gate"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/policy"
	"candor/internal/problem"
	"candor/internal/retention"
	"candor/internal/sqldb"
	"candor/internal/visit"
	"candor/internal/watch"
	"candor/web"
)

// watchOver wires the watch over promises. It looks at the house as it is, so it comes last.
func (h *house) watchOver(ctx context.Context) error {
	h.watch.Clock, h.watch.Log, h.watch.Probes = h.clock, h.room("watch"), h.probes()
	h.watch.Start(ctx)
	h.closing("watch", h.watch.Close)
	return nil
}

// probes are all looks, each at the real thing. Without a house they still say which promises they are about.
func (h *house) probes() []watch.Probe {
	obeyed := func() *policy.Policy { return h.policy }
	return []watch.Probe{
		watch.Vendors(h.pages, obeyed), watch.Powers(h.pages), watch.Own(h.pages),
		watch.Fields(h.names), watch.Columns(h.columns, Passports()), watch.Labels(h.counts, Passports()),
		watch.Purposes(obeyed), watch.Recipients(obeyed),
		h.doorProbe(), h.policyProbe(), strangerProbe(func(ctx context.Context, r gate.Request) (permit.Permit, error) { return h.gate.Permit(ctx, r) }),
		h.chainProbe(), h.keyProbe(), h.pushProbe(), egressProbe(func(to egress.Recipient) error { _, err := h.egress.Third(to); return err }), h.lateProbe(),
	}
}

// Watched are the promises that a running installation looks after.
func Watched() (ids []string) {
	for _, p := range (&house{}).probes() {
		ids = append(ids, p.Promises...)
	}
	return ids
}

// memory takes an answer without a network.
type memory struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (m *memory) Header() http.Header { return m.header }

func (m *memory) WriteHeader(status int) { m.status = status }

func (m *memory) Write(b []byte) (int, error) {
	if m.status == 0 {
		m.status = http.StatusOK
	}
	return m.body.Write(b)
}

// ask is what a browser that nobody is signed in with is answered.
func (h *house) ask(ctx context.Context, method, path string) (*memory, error) {
	r, err := http.NewRequestWithContext(visit.With(ctx, visit.Visit{Host: "localhost", Client: netip.IPv6Loopback()}), method, path, http.NoBody)
	if err != nil {
		return nil, err
	}
	m := &memory{header: http.Header{}}
	h.served.ServeHTTP(m, r)
	return m, nil
}

// pages gets everything that the app is made of, as it is served.
func (h *house) pages(ctx context.Context) (all []watch.Page, err error) {
	paths := []string{"/", "/api/v1/policy", "/api/v1/setup"}
	err = fs.WalkDir(web.Files, ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasPrefix(d.Name(), ".") {
			paths = append(paths, "/"+path)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		got, err := h.ask(ctx, http.MethodGet, path)
		if err != nil {
			return nil, err
		}
		if got.status != http.StatusOK {
			return nil, fmt.Errorf("%s answers %d", path, got.status)
		}
		body := ""
		switch kind := got.header.Get("Content-Type"); {
		case strings.HasPrefix(kind, "text/"), strings.Contains(kind, "json"), strings.Contains(kind, "svg"):
			body = got.body.String()
		}
		all = append(all, watch.Page{Path: path, Header: got.header, Body: body})
	}
	return all, nil
}

func (h *house) columns(ctx context.Context) ([]string, error) {
	return sqldb.Columns(ctx, h.db.Read.DB, h.db.Dialect)
}

// names are all names under which something is kept in the database or taken by the API.
func (h *house) names(ctx context.Context) ([]string, error) {
	all, err := h.columns(ctx)
	for field := range httpapi.Fields() {
		all = append(all, field)
	}
	return all, err
}

// counts is the metrics page.
func (h *house) counts() (string, error) {
	m := &memory{header: http.Header{}}
	r, err := http.NewRequest(http.MethodGet, "/metrics", http.NoBody)
	if err != nil {
		return "", err
	}
	h.metrics.Handler().ServeHTTP(m, r)
	if m.status != http.StatusOK {
		return "", fmt.Errorf("the metrics page answers %d", m.status)
	}
	return m.body.String(), nil
}

// doorProbe goes to every address that needs somebody signed in, as nobody.
func (h *house) doorProbe() watch.Probe {
	return watch.Probe{Name: "door", Promises: []string{"P001"}, Look: func(ctx context.Context) (broken []watch.Broken, err error) {
		nobody := strings.NewReplacer("{id}", id.Make[id.Binding]().String(), "{purpose}", string(passport.Recording))
		for _, r := range h.api.Routes() {
			if r.Auth != httpapi.Session {
				continue
			}
			path := nobody.Replace(r.Path)
			for strings.Contains(path, "{") {
				from, to := strings.Index(path, "{"), strings.Index(path, "}")
				path = path[:from] + id.Make[id.Row]().String() + path[to+1:]
			}
			got, err := h.ask(ctx, r.Method, path)
			if err != nil {
				return nil, err
			}
			if got.status != http.StatusUnauthorized { // a 404 would be what a stranger sees who was let in
				broken = append(broken, watch.Broken{Promise: "P001", Why: fmt.Sprintf("%s answers %d to nobody", r.ID, got.status)})
			}
		}
		return broken, nil
	}}
}

// policyProbe reads the policy as a passer-by, and looks whether every version that somebody agreed to is still there.
func (h *house) policyProbe() watch.Probe {
	return watch.Probe{Name: "policy", Promises: []string{"P324", "P325"}, Look: func(ctx context.Context) (broken []watch.Broken, err error) {
		got, err := h.ask(ctx, http.MethodGet, "/api/v1/policy")
		if err != nil {
			return nil, err
		}
		if got.status != http.StatusOK || !strings.Contains(got.body.String(), h.policy.Hash()) {
			broken = append(broken, watch.Broken{Promise: "P324", Why: fmt.Sprintf("the policy answers %d, or is another than the one obeyed", got.status)})
		}
		hashes, err := h.consent.Named(ctx)
		if err != nil {
			return nil, err
		}
		for _, hash := range hashes {
			if _, ok := h.history.ByHash(hash); !ok {
				broken = append(broken, watch.Broken{Promise: "P325", Why: fmt.Sprintf("version %.12s… was agreed to and is not there", hash)})
			}
		}
		return broken, nil
	}}
}

// strangerProbe asks the gate for what nobody may have.
func strangerProbe(ask func(context.Context, gate.Request) (permit.Permit, error)) watch.Probe {
	return watch.Probe{Name: "stranger", Promises: []string{"P019", "P241", "P245"}, Look: func(ctx context.Context) (broken []watch.Broken, err error) {
		who, tenant := permit.Person(id.Make[id.Account](), id.Make[id.Session]()), id.DefaultTenant
		for promise, r := range map[string]gate.Request{
			"P019": {Tenant: tenant, Actor: who, Action: permit.CameraWatch, Binding: id.Make[id.Binding]()},
			"P241": {Tenant: tenant, Actor: who, Action: "watch.never", Account: id.Make[id.Account]()},
			"P245": {Tenant: tenant, Actor: permit.System(gate.Recorder), Action: permit.CameraRecord, Binding: id.Make[id.Binding]()},
		} {
			if _, err := ask(ctx, r); err == nil {
				broken = append(broken, watch.Broken{Promise: promise, Why: "the gate let " + string(r.Action) + " happen that nobody may do"})
			} else if p, ok := problem.Of(err); ok && p.Status >= http.StatusInternalServerError {
				return nil, err // a gate that cannot decide says nothing of the rules
			}
		}
		return broken, nil
	}}
}

// atOnce is how many access chains one look goes along.
const atOnce = 20

// chainProbe goes along the access chains of some people.
func (h *house) chainProbe() watch.Probe {
	return watch.Probe{Name: "chains", Promises: []string{"P295"}, Look: func(ctx context.Context) (broken []watch.Broken, err error) {
		people, err := h.people.Everybody(ctx, h.tenant)
		if err != nil {
			return nil, err
		}
		rand.Shuffle(len(people), func(i, j int) { people[i], people[j] = people[j], people[i] })
		for _, a := range people[:min(len(people), atOnce)] {
			p, err := h.gate.Permit(ctx, gate.Request{Tenant: h.tenant, Actor: permit.System(gate.Rights), Action: permit.PrivacyRead, Account: a})
			if problem.Is(err, "not_found") {
				continue // they left meanwhile
			}
			if err != nil {
				return nil, err
			}
			v, err := h.records.Verify(ctx, p, h.tenant, id.SubjectOf(a))
			if err != nil {
				return nil, err
			}
			if v.BrokenAt != 0 {
				broken = append(broken, watch.Broken{Promise: "P295", Why: fmt.Sprintf("entry %d of somebody's access log is %s", v.BrokenAt, v.Why)})
			}
		}
		return broken, nil
	}}
}

// keyProbe looks whether a key lived longer than the policy allows.
func (h *house) keyProbe() watch.Probe {
	return watch.Probe{Name: "keys", Promises: []string{"P281"}, Look: func(ctx context.Context) (broken []watch.Broken, err error) {
		if h.retention == nil {
			return nil, errors.New("nothing is let go of")
		}
		ages, err := h.retention.Check(ctx)
		if err != nil {
			return nil, err
		}
		return overdueOf(ages), nil
	}}
}

func overdueOf(ages []retention.Age) (broken []watch.Broken) {
	for _, a := range ages {
		if a.Overdue > 0 {
			broken = append(broken, watch.Broken{Promise: "P281", Why: fmt.Sprintf("%d keys of %s were older than the policy allows, and were destroyed", a.Overdue, a.Category)})
		}
	}
	return broken
}

// pushProbe looks whether somebody's browser is known who does not agree to push.
func (h *house) pushProbe() watch.Probe {
	return watch.Probe{Name: "push", Promises: []string{"P087", "P101"}, Look: func(ctx context.Context) (broken []watch.Broken, err error) {
		people, err := h.notify.Subscribers(ctx, h.tenant)
		if err != nil {
			return nil, err
		}
		for _, a := range people {
			_, given, err := h.consent.Given(ctx, h.tenant, id.SubjectOf(a), id.Binding{}, passport.Push)
			if err != nil {
				return nil, err
			}
			if !given {
				why := "a browser is subscribed whose person does not agree to push"
				broken = append(broken, watch.Broken{Promise: "P087", Why: why}, watch.Broken{Promise: "P101", Why: why})
			}
		}
		return broken, nil
	}}
}

// egressProbe asks for a way out to somebody whom the register does not have, and for a field more than it allows.
func egressProbe(third func(egress.Recipient) error) watch.Probe {
	return watch.Probe{Name: "egress", Promises: []string{"P229", "P233"}, Look: func(context.Context) (broken []watch.Broken, err error) {
		for promise, to := range map[string]egress.Recipient{
			"P233": {Name: "nobody", Purpose: passport.Security, Hosts: []string{"nobody.invalid"}},
			"P229": {Name: "smtp", Purpose: passport.Security, Fields: []string{"a field that is not registered"}, Hosts: []string{"nobody.invalid"}},
		} {
			if third(to) == nil {
				broken = append(broken, watch.Broken{Promise: promise, Why: "there is a way out to " + to.Name + " that the register does not have"})
			}
		}
		return broken, nil
	}}
}

// lateProbe looks whether the operator is late with what has a day.
func (h *house) lateProbe() watch.Probe {
	return watch.Probe{Name: "late", Promises: []string{"P310", "P329"}, Look: func(ctx context.Context) (broken []watch.Broken, err error) {
		n, err := h.notices.Overdue(ctx)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			broken = append(broken, watch.Broken{Promise: "P310", Why: fmt.Sprintf("%d incidents should be with the authority", n)})
		}
		if unreviewed(h.policy.Assessed, h.clock.Now()) > 0 {
			broken = append(broken, watch.Broken{Promise: "P329", Why: "the policy was last looked at on " + h.policy.Assessed})
		}
		return broken, nil
	}}
}
