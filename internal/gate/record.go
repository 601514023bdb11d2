package gate

import (
	"context"
	"time"

	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/translog"
)

// recordKey is what one access record of a windowed action covers.
type recordKey struct {
	session id.Session
	link    id.Share
	binding id.Binding
	action  permit.Action
}

const maxRecorded = 4096 // remembered windows; beyond it the old ones are dropped

// record writes the access record that the rule asks for, and returns when it is durable.
//
// promise:P295
func (g *Gate) record(ctx context.Context, r Request, ru rule, grant permit.Grant) error {
	if !ru.record || r.Actor.System != "" || promise.Cut("P295") {
		return nil
	}
	now, key := g.Clock.Now(), recordKey{r.Actor.Session, r.Actor.Link, r.Binding, r.Action}
	if ru.window > 0 && g.covered(key, now, ru.window) {
		return nil
	}
	err := g.Records.Append(ctx, translog.Access{
		Tenant: r.Tenant, Subject: grant.Subject, Actor: r.Actor, Action: r.Action, Binding: r.Binding, Purpose: grant.Purpose, Client: r.Client, At: now,
		Policy: grant.Policy, Share: grant.Share, Consent: grant.Consent,
	})
	if err != nil {
		return problem.Unavailable("gate.log_down").Because(err)
	}
	if ru.window > 0 {
		g.cover(key, now)
	}
	return nil
}

func (g *Gate) covered(key recordKey, now time.Time, window time.Duration) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	since, ok := g.recorded[key]
	return ok && !now.Before(since) && now.Sub(since) < window
}

func (g *Gate) cover(key recordKey, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.recorded) >= maxRecorded {
		for k, since := range g.recorded {
			if now.Sub(since) >= often || len(g.recorded) >= maxRecorded {
				delete(g.recorded, k)
			}
		}
	}
	if g.recorded == nil {
		g.recorded = map[recordKey]time.Time{}
	}
	g.recorded[key] = now
}
