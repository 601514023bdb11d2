package seal_test

import (
	"testing"

	"candor/internal/seal"
)

func BenchmarkOpen(b *testing.B) {
	w := newBench(b)
	door := camera(person())
	at := place(door)
	v := w.seal(door, at, "door")
	p := w.permit(at)
	for b.Loop() {
		if _, err := w.Open(ctx, p, at, v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenHourRows(b *testing.B) {
	w := newBench(b)
	door := camera(person())
	var rows []seal.Sealed
	for hour := range 720 {
		s := footage(door, clock0(hour/24))
		at := place(s)
		rows = append(rows, seal.Sealed{Place: at, Value: w.seal(s, at, "an hour")})
	}
	p := w.permit(rows[0].Place)
	for b.Loop() {
		if _, err := w.OpenAll(ctx, p, rows); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDestroy1000(b *testing.B) {
	w := newBench(b)
	for b.Loop() {
		b.StopTimer()
		door := camera(person())
		for day := range 1000 {
			w.ensure(footage(door, clock0(day)))
		}
		b.StartTimer()
		w.destroy(all(door), seal.Removed)
	}
}
