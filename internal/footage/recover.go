package footage

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"candor/internal/blob"
	"candor/internal/footage/segment"
	"candor/internal/id"
	"candor/internal/seal"
)

// recover settles what the last run left: drafts are cut behind their last whole chunk and get
// their row and their place, drafts with nothing whole in them go, and garbage is unlinked.
// It opens nothing and needs no key.
func (r *Room) recover(ctx context.Context) error {
	drafts, err := r.Store.Drafts()
	if err != nil {
		return err
	}
	for _, name := range drafts {
		kept, err := r.recoverDraft(ctx, name)
		if err != nil {
			return fmt.Errorf("draft %s: %w", name[strings.LastIndexByte(name, '/')+1:], err)
		}
		r.Log.Info("a segment that was being written was recovered", "kept", kept)
	}
	if err := r.collectGarbage(ctx); err != nil {
		r.Log.Warn("garbage stays for now", "err", err)
	}
	return nil
}

func (r *Room) recoverDraft(ctx context.Context, name string) (kept bool, err error) {
	found, err := r.survey(name)
	if errors.Is(err, segment.ErrFormat) || (err == nil && found.Chunks == 0) {
		return false, r.Store.Delete(name)
	}
	if err != nil {
		return false, err
	}
	row := rowOf(found)
	if row.object() != name {
		return false, r.Store.Delete(name)
	}
	if gone, err := r.gone(ctx, &row); err != nil {
		return false, err
	} else if gone {
		return false, r.Store.Delete(name)
	}
	size := found.Size
	if found.Whole {
		size += segment.TrailerSize
	}
	draft, err := r.Store.Resume(name, size)
	if err != nil {
		return false, err
	}
	if err := draft.Sync(); err != nil {
		return false, errors.Join(err, draft.Close())
	}
	row.Bytes = size
	err = r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error { return insertSegment(ctx, tx, &row, nil) })
	if err != nil {
		return false, errors.Join(err, draft.Close())
	}
	return true, draft.Commit()
}

func (r *Room) survey(name string) (segment.Found, error) {
	o, err := r.Store.Open(name)
	if err != nil {
		return segment.Found{}, err
	}
	defer o.Close()
	size, err := o.Size()
	if err != nil {
		return segment.Found{}, err
	}
	return segment.Survey(o, size)
}

// gone asks whether a goodbye was said to the camera while the draft lay there.
func (r *Room) gone(ctx context.Context, row *segmentRow) (bool, error) {
	k, ok := r.Keys.(interface {
		Tombstoned(ctx context.Context, s seal.Scope) (bool, error)
	})
	if !ok {
		return false, nil
	}
	return k.Tombstoned(ctx, seal.OfBinding(row.Tenant, row.Subject, row.Binding))
}

// rowOf is the row of a segment as its own header tells it.
func rowOf(f segment.Found) segmentRow {
	h := f.Header
	code, _ := segment.ProfileCode(h.Profile)
	row := segmentRow{
		Tenant: h.Tenant, Binding: h.Binding, Subject: h.Subject, ID: h.Segment, Profile: int64(code), Start: h.Start,
		Duration: f.Ticks / ticksPerMilli, Bytes: f.Size, Key: h.Key, Wrapped: h.Wrapped,
	}
	if f.Whole {
		row.Closed = 1
	}
	return row
}

// Rebuild brings back the rows of every committed segment that has none, from the segments alone.
// It is for a database that was lost or restored from an older copy; it needs no key. It returns
// how many rows it made.
func (r *Room) Rebuild(ctx context.Context) (made int, err error) {
	for info, err := range r.Store.List(ctx, "") {
		if err != nil {
			return made, err
		}
		name := info.Name[strings.LastIndexByte(info.Name, '/')+1:]
		known, err := r.DB.Read.NewSelect().Model((*segmentRow)(nil)).Where("id = ?", hexID(name)).Exists(ctx)
		if err != nil {
			return made, err
		}
		if known {
			continue
		}
		found, err := r.survey(info.Name)
		if errors.Is(err, blob.ErrNotFound) {
			continue
		}
		if err != nil || found.Chunks == 0 {
			r.Log.Warn("an object is no segment", "err", err)
			continue
		}
		row := rowOf(found)
		row.Bytes = info.Size
		if gone, err := r.gone(ctx, &row); err != nil || gone || row.object() != info.Name {
			if err != nil {
				return made, err
			}
			continue
		}
		err = r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error { return insertSegment(ctx, tx, &row, nil) })
		if err != nil {
			return made, err
		}
		made++
	}
	return made, nil
}

// hexID reads the last part of an object's name; the zero id matches no row.
func hexID(s string) (v id.Segment) {
	if len(s) != 32 {
		return v
	}
	for i := range v {
		hi, lo := hexDigit(s[2*i]), hexDigit(s[2*i+1])
		if hi < 0 || lo < 0 {
			return id.Segment{}
		}
		v[i] = byte(hi<<4 | lo)
	}
	return v
}

func hexDigit(c byte) int { return strings.IndexByte("0123456789abcdef", c) }
