package rights

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"candor/internal/id"
	"candor/internal/permit"
)

// Inventory tells what is held about the person a permit is about (permit.PrivacyRead), over all
// rooms: kind, count, size, age and how long it stays. Lines that differ in nothing else are one.
func (o *Office) Inventory(ctx context.Context, p permit.Permit) ([]Held, error) {
	w, err := o.whose(p, permit.PrivacyRead, id.Binding{})
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var all []Held
	err = o.each(func(h Holder) error {
		held, err := h.Count(ctx, p, w)
		mu.Lock()
		defer mu.Unlock()
		all = append(all, held...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return merge(all), nil
}

func merge(all []Held) []Held {
	sums := map[Held]*Held{}
	for _, h := range all {
		key := Held{Room: h.Room, Category: h.Category, Kind: h.Kind, Ends: h.Ends, Purpose: h.Purpose, Basis: h.Basis}
		sum, ok := sums[key]
		if !ok {
			sums[key] = &h
			continue
		}
		sum.Count += h.Count
		sum.Bytes += h.Bytes
		if h.Oldest != 0 && (sum.Oldest == 0 || h.Oldest < sum.Oldest) {
			sum.Oldest = h.Oldest
		}
		if h.Until != 0 && (sum.Until == 0 || h.Until < sum.Until) {
			sum.Until = h.Until
		}
	}
	out := make([]Held, 0, len(sums))
	for _, h := range sums {
		out = append(out, *h)
	}
	slices.SortFunc(out, func(a, b Held) int {
		return cmp.Or(cmp.Compare(a.Category, b.Category), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Room, b.Room), cmp.Compare(a.Purpose, b.Purpose))
	})
	return out
}
