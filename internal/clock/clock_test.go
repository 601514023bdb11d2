package clock_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"candor/internal/clock"
)

func TestVirtualSleepersWakeWhenTheirTimeComes(t *testing.T) {
	v := clock.NewVirtual(time.Unix(0, 0))
	woke := make(chan error, 1)
	started := make(chan struct{})
	go func() {
		close(started)
		woke <- v.Sleep(context.Background(), time.Hour)
	}()
	<-started
	for range 100 { // the sleeper may not be asleep yet; it must not wake early however it races
		v.Advance(30 * time.Second)
	}
	select {
	case err := <-woke:
		t.Fatalf("woke after 50 minutes: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	v.Advance(2 * time.Hour)
	if err := <-woke; err != nil {
		t.Fatal(err)
	}
}

func TestVirtualSleepEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := clock.NewVirtual(time.Unix(0, 0)).Sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want %v", err, context.Canceled)
	}
}

func TestDaysAreUTCAndCountBackwardsToo(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{time.Date(2026, 3, 1, 0, 30, 0, 0, berlin), "2026-02-28"},
		{time.Date(2026, 3, 1, 23, 59, 59, 0, time.UTC), "2026-03-01"},
		{time.Date(1969, 12, 31, 23, 0, 0, 0, time.UTC), "1969-12-31"},
	} {
		if got := clock.DayOf(c.at).String(); got != c.want {
			t.Errorf("DayOf(%v) = %s, want %s", c.at, got, c.want)
		}
	}
}
