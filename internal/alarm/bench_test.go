package alarm_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"candor/internal/alarm"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/sqldb/sqltest"
)

// BenchmarkList lists pages of 50 among 100 000 events of ten cameras and thirty days, from the newest on and
// further down, all of them and those not seen.
func BenchmarkList(b *testing.B) {
	w := newWorld(b, sqltest.SQLite(b))
	ctx := context.Background()
	var may []permit.Permit
	for range 10 {
		c := w.camera()
		w.must(w.room.Fill(ctx, c, noon, 30*day/10_000, 10_000))
		may = append(may, w.may(c)...)
	}
	no := false
	for name, q := range map[string]alarm.Query{"all": {Limit: 50}, "unseen": {Limit: 50, Seen: &no}} {
		b.Run(name, func(b *testing.B) {
			var took []time.Duration
			after := ""
			for b.Loop() {
				q.After = after
				began := time.Now()
				page, err := w.room.List(ctx, w.owner, may, q)
				took = append(took, time.Since(began))
				w.must(err)
				after = page.Next
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*95/100].Milliseconds()), "p95-ms")
		})
	}
	b.Run("unseen, all seen", func(b *testing.B) {
		q := alarm.Query{}
		for {
			page, err := w.room.List(ctx, w.owner, may, q)
			w.must(err)
			var ids []id.Sighting
			for _, e := range page.Events {
				ids = append(ids, e.ID)
			}
			_, err = w.room.MarkSeen(ctx, w.owner, may, ids, true)
			w.must(err)
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		var took []time.Duration
		for b.Loop() {
			began := time.Now()
			_, err := w.room.List(ctx, w.owner, may, alarm.Query{Limit: 50, Seen: &no})
			took = append(took, time.Since(began))
			w.must(err)
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)*95/100].Milliseconds()), "p95-ms")
	})
}
