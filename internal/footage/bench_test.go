package footage_test

import (
	"context"
	"io"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/footage"
	"candor/internal/id"
	"candor/internal/media"
	"candor/internal/seal"
)

// BenchmarkTimeline asks for 30 days of one camera among many.
func BenchmarkTimeline(b *testing.B) {
	w := benchWorld(b)
	ctx := context.Background()
	const days = 30
	first := noon - days*24*3_600_000
	first -= first % 3_600_000
	filler := make([]byte, 120)
	for cam := range 100 {
		binding := id.Make[id.Binding]()
		tx, err := w.db.Write.Begin()
		if err != nil {
			b.Fatal(err)
		}
		for h := range int64(days * 24) {
			start := first + clock.Millis(h)*3_600_000
			hour, row := int64(start/3_600_000), id.Make[id.Row]()
			value := filler
			if cam == 0 {
				binding = w.cam.Binding
				plain := footage.SummaryForBench(hour, start, 59*60_000)
				value, err = w.keeper.Seal(ctx, seal.OfBinding(w.cam.Tenant, w.cam.Subject, binding).In(seal.Bucket{Day: clock.DayOf(start.Time()), Category: "footage", Class: seal.Continuous}),
					seal.Place{Tenant: w.cam.Tenant, Subject: w.cam.Subject, Binding: binding, Passport: "footage.hour", Category: "footage", Row: row}, plain)
				if err != nil {
					b.Fatal(err)
				}
			}
			if _, err := tx.Exec("INSERT INTO footage_hour VALUES (?, ?, ?, ?, ?, ?)", w.cam.Tenant, binding, hour, row, w.cam.Subject, []byte(value)); err != nil {
				b.Fatal(err)
			}
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := w.db.Write.Exec("INSERT INTO footage_camera VALUES (?, ?, ?, ?, 0)", w.cam.Tenant, w.cam.Binding, w.cam.Subject, int64(first)); err != nil {
		b.Fatal(err)
	}
	p := w.permit()
	for b.Loop() {
		tl, err := w.room.Timeline(ctx, p, w.cam, media.Main, first, noon)
		if err != nil || len(tl.Ranges) < days*24-1 {
			b.Fatalf("%d ranges, %v", len(tl.Ranges), err)
		}
	}
}

// BenchmarkRecord takes a clip in as fast as it goes: time per second of footage.
func BenchmarkRecord(b *testing.B) {
	w := benchWorld(b)
	w.record()
	began, n := time.Now(), int64(0)
	for b.Loop() {
		w.play(10)
		n += 10
	}
	m := &w.room.Metrics
	b.ReportMetric(float64(time.Since(began).Microseconds())/float64(n), "µs/s-of-footage")
	b.ReportMetric(float64(m.Writes.Load())/float64(n), "writes/s-of-footage")
	b.ReportMetric(float64(m.Bytes.Load())/float64(n), "bytes/s-of-footage")
}

// BenchmarkMovie opens an hour of footage and reads a megabyte from its middle.
func BenchmarkMovie(b *testing.B) {
	w := benchWorld(b)
	w.record()
	for range 12 {
		w.play(300)
	}
	lease := w.lease("footage.read")
	for b.Loop() {
		m, err := w.room.Movie(context.Background(), lease, w.cam, media.Main, noon, noon+3_600_000)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := m.ReadAt(make([]byte, 1<<20), m.Size()/2); err != nil && err != io.EOF {
			b.Fatal(err)
		}
		_ = m.Close()
	}
}
