package footage_test

import (
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
)

func TestWhatIsKeptIsSummedUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sum := func(since clock.Millis) (oldest, newest clock.Millis, gaps int, missing int64) {
			t.Helper()
			all, err := w.room.Kept(t.Context(), id.DefaultTenant, []id.Binding{w.cam.Binding, id.Make[id.Binding]()}, since)
			w.must(err)
			if len(all) > 1 {
				t.Errorf("kept of %d cameras", len(all))
			}
			k := all[w.cam.Binding]
			if (k.Bytes > 0) != (k.Oldest > 0) {
				t.Errorf("%+v", k)
			}
			return k.Oldest, k.Newest, k.Gaps, k.Missing
		}
		if oldest, _, gaps, _ := sum(0); oldest != 0 || gaps != 0 {
			t.Errorf("before anything: from %d, %d gaps", oldest, gaps)
		}
		w.tape(noon.Time(), 20)
		w.tape(noon.Time().Add(time.Hour), 20)
		w.tape(noon.Time().Add(90*time.Minute), 20)
		oldest, newest, gaps, missing := sum(noon)
		if oldest != noon || !near(newest, noon+90*60_000+20_000, 500) || gaps != 2 || !near(clock.Millis(missing), (90*60-40)*1000, 1000) {
			t.Errorf("from %d to %d, %d gaps of %d ms", oldest, newest, gaps, missing)
		}
		if _, _, gaps, _ := sum(noon + 30*60_000); gaps != 1 {
			t.Errorf("%d gaps since half past", gaps)
		}
		if all, err := w.room.Kept(t.Context(), id.Tenant{9}, []id.Binding{w.cam.Binding}, 0); err != nil || len(all) != 0 {
			t.Errorf("another tenant: %v, %v", all, err)
		}
	})
}
