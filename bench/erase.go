package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"candor/internal/footage"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/rights"
)

const (
	eraseRuns     = 10
	eraseRunsMost = 3 // of the largest store
	eraseDays     = 7
	erasePictures = 3
)

// erasures measures closing an account that holds 100, 1 000 and 10 000 segments of a week: until
// the keys are destroyed, and until everything is swept and looked for.
func erasures(ctx context.Context, b *bench) error {
	desc, gop, err := sample(ctx, erasePictures)
	if err != nil {
		return err
	}
	quick := quickDir(b.dir)
	defer os.RemoveAll(quick)
	var keysGone []float64
	for _, n := range []int{100, 1000, 10_000} {
		runs := b.n
		if runs == 0 {
			runs = eraseRuns
			if n == 10_000 {
				runs = eraseRunsMost
			}
		}
		c := footage.Camera{Tenant: id.DefaultTenant, Subject: id.Make[id.Subject](), Binding: id.Make[id.Binding](), Device: id.Make[id.Device]()}
		full := filepath.Join(quick, "full-"+strconv.Itoa(n))
		say("erase: recording %d segments", n)
		h, err := openHeld(ctx, full, true)
		if err != nil {
			return err
		}
		if err := h.fill(ctx, c, desc, gop, n, eraseDays); err != nil {
			_ = h.close()
			return err
		}
		if err := h.close(); err != nil {
			return err
		}
		var t timings
		for run := range runs {
			dir := filepath.Join(b.dir, fmt.Sprintf("erase-%d-%d", n, run))
			if err := copyTree(full, dir); err != nil {
				return err
			}
			syscall.Sync() // or the copy is still being written while we measure
			if err := t.run(ctx, dir, c, n); err != nil {
				return fmt.Errorf("%d segments: %w", n, err)
			}
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
		}
		keysGone = append(keysGone, t.gone...)
		b.add(
			of(fmt.Sprintf("erase_%d_keys_gone_p95_ms", n), "ms", 0.95, t.gone),
			of(fmt.Sprintf("erase_%d_done_p95_ms", n), "ms", 0.95, t.done),
			of(fmt.Sprintf("erase_%d_request_p95_ms", n), "ms", 0.95, t.wall),
			of(fmt.Sprintf("erase_%d_keys_destroyed", n), "keys", 0.5, t.keys),
		)
		f := b.figures[len(b.figures)-4:]
		say("erase: %d segments: keys gone after %g ms, all done after %g ms (medians of %d)", n, f[0].Median, f[1].Median, runs)
		if err := os.RemoveAll(full); err != nil {
			return err
		}
	}
	b.add(of("erase_keys_gone_p95_ms", "ms", 0.95, keysGone))
	f := b.figures
	b.add(one("erase_keys_gone_10000_to_100", "ratio", f[8].Median/max(f[0].Median, 1)))
	return nil
}

// timings are those of the runs of one row, in ms.
type timings struct{ gone, done, wall, keys []float64 }

func (t *timings) run(ctx context.Context, dir string, c footage.Camera, n int) error {
	h, err := openHeld(ctx, dir, false)
	if err != nil {
		return err
	}
	defer h.close()
	o := h.office()
	if err := o.Start(ctx); err != nil {
		return err
	}
	defer o.Close()
	p := h.issuer.Permit(h.grant(c, permit.AccountErase))
	began := time.Now()
	r, err := o.CloseAccount(ctx, p)
	if err != nil {
		return err
	}
	wall := time.Since(began)
	if err := swept(r, n); err != nil {
		return err
	}
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	t.gone = append(t.gone, ms(r.UnopenableAt.Sub(r.RequestedAt)))
	t.done = append(t.done, ms(r.DoneAt.Sub(r.RequestedAt)))
	t.wall = append(t.wall, ms(wall))
	t.keys = append(t.keys, float64(r.KeysDestroyed))
	return nil
}

// swept checks that the receipt is of what was held: a fast goodbye that leaves something is none.
func swept(r rights.Receipt, n int) error {
	if !r.Done() || r.UnopenableAt == nil || r.KeysDestroyed == 0 || r.Swept.Objects != int64(n) {
		return fmt.Errorf("a receipt that says too little: %+v", r)
	}
	for _, f := range r.LookedFor {
		if f.Found != 0 {
			return fmt.Errorf("%d are left in %s", f.Found, f.Where)
		}
	}
	return nil
}

// quickDir is in memory where the machine has such a place: what is made there is copied to the
// disk before anything is measured.
func quickDir(otherwise string) string {
	dir, err := os.MkdirTemp("/dev/shm", "candor-bench-")
	if err != nil {
		return otherwise
	}
	return dir
}
