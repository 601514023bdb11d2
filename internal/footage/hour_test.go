package footage

import (
	"reflect"
	"testing"

	"candor/internal/media"
)

func FuzzSummary(f *testing.F) {
	s := &summary{
		runs:  []run{{media.Main, 493_000 * hourMillis, 493_000*hourMillis + 1234, 99}, {media.Sub, 493_000*hourMillis + 7, 493_000*hourMillis + 60_000, 1 << 30}},
		notes: []note{{493_000*hourMillis + 5, Offline}, {493_000*hourMillis + 50, RecordingOff}},
	}
	b, err := s.marshal(493_000)
	if err != nil {
		f.Fatal(err)
	}
	if back, err := parseSummary(b, 493_000); err != nil || !reflect.DeepEqual(back, s) {
		f.Fatalf("came back as %+v, %v", back, err)
	}
	if _, err := parseSummary(b, 493_001); err == nil {
		f.Fatal("an hour's summary was taken for the next hour's")
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := parseSummary(b, 493_000)
		if err != nil {
			return
		}
		again, err := got.marshal(493_000)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := parseSummary(again, 493_000); err != nil || !reflect.DeepEqual(back.notes, got.notes) {
			t.Fatalf("%+v came back as %+v, %v", got, back, err)
		}
	})
}

func TestRunsThatFollowAreOne(t *testing.T) {
	s := &summary{}
	for _, r := range []run{{media.Main, 0, 1000, 1}, {media.Sub, 0, 900, 1}, {media.Main, 1020, 2000, 1}, {media.Main, 9000, 9500, 1}, {media.Sub, 880, 1500, 1}} {
		s.add(r)
	}
	want := []run{{media.Main, 0, 2000, 2}, {media.Sub, 0, 1500, 2}, {media.Main, 9000, 9500, 1}}
	if !reflect.DeepEqual(s.runs, want) {
		t.Errorf("runs: %+v", s.runs)
	}
}
