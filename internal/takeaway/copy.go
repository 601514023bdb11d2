package takeaway

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"candor/internal/blob"
	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/rights"
	"candor/internal/seal"
	"candor/internal/takeaway/archive"
)

// objectPassport is the permanent name of the frozen part of a copy.
const objectPassport passport.ID = "takeaway.object"

func place(w *row) seal.Place {
	return seal.Place{Tenant: w.Tenant, Subject: w.Subject, Passport: objectPassport, Category: passport.Identity, Row: id.RowOf(w.ID)}
}

// Copy is a copy opened for reading, for as long as its lease lasts: a zip file, from any byte on.
type Copy struct {
	*archive.Reader
	layout  *archive.Layout
	etag    string
	expires clock.Millis
	room    *Room
	lease   *permit.Lease
	whose   rights.Whose
	items   []item

	mu     sync.Mutex // guards what follows against the end of the lease
	key    *seal.ObjectKey
	object blob.Object
	thawed *thawed
	open   rights.Content // of item at
	at     int
	closed bool
}

var _ io.ReadSeekCloser = (*Copy)(nil)

// Open opens a copy under a lease of permit.PrivacyExport about its person. Any other person's copy
// is not found; one that is over is gone.
func (r *Room) Open(ctx context.Context, lease *permit.Lease, which id.Export) (*Copy, error) {
	g, err := r.permitted(lease.Permit(), permit.PrivacyExport)
	if err != nil {
		return nil, err
	}
	all, err := r.find(ctx, r.DB.Read, "tenant_id = ? AND subject_id = ? AND id = ?", g.Tenant, g.Subject, which)
	if err == nil && len(all) == 0 {
		err = problem.NotFound()
	}
	if err == nil {
		err = r.alive(all[0])
	}
	if err != nil {
		return nil, err
	}
	w := all[0]
	c := &Copy{room: r, lease: lease, whose: rights.Whose{Tenant: w.Tenant, Subject: w.Subject}, expires: w.Expires, at: -1}
	if err := c.thaw(ctx, w); err != nil {
		_ = c.Close()
		if errors.Is(err, seal.ErrClosed) || errors.Is(err, blob.ErrNotFound) {
			return nil, problem.Gone("export.ended").Because(err)
		}
		return nil, err
	}
	if len(r.opened(which)) >= atOnce {
		_ = c.Close()
		return nil, problem.New(http.StatusTooManyRequests, "export.busy").With("retry_after", "5")
	}
	r.mu.Lock()
	r.open[c] = which
	r.mu.Unlock()
	lease.OnEnd(func() { _ = c.Close() })
	if err := r.still(ctx, which); err != nil { // it may have ended between the two looks
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// still looks once more whether a copy can be downloaded.
func (r *Room) still(ctx context.Context, which id.Export) error {
	all, err := r.find(ctx, r.DB.Write, "id = ?", which)
	if err == nil && len(all) == 0 {
		err = problem.Gone("export.ended")
	}
	if err == nil {
		err = r.alive(all[0])
	}
	return err
}

// thaw opens the frozen part and reads the index.
func (c *Copy) thaw(ctx context.Context, w *row) (err error) {
	if c.key, err = c.room.Keys.OpenObject(ctx, c.lease.Permit(), place(w), w.Key, w.Wrapped, w.aad()); err != nil {
		return err
	}
	if c.object, err = c.room.Store.Open(w.object()); err != nil {
		return err
	}
	c.thawed = newThawed(c.object, c.key.AEAD(), w.Frozen)
	if w.Index < 0 || w.Index > w.Frozen {
		return errors.New("a copy's index lies nowhere")
	}
	index := make([]byte, w.Frozen-w.Index)
	if _, err := c.thawed.ReadAt(index, w.Index); err != nil {
		return err
	}
	if err := json.Unmarshal(index, &c.items); err != nil {
		return fmt.Errorf("read a copy's index: %w", err)
	}
	if c.layout, err = lay(c.items); err != nil {
		return err
	}
	if c.layout.Size != w.Size {
		return errors.New("a copy has another size than it was made with")
	}
	sum := sha256.Sum256(bytes.Join([][]byte{w.ID[:], index}, nil))
	c.etag = `"` + hex.EncodeToString(sum[:16]) + `"`
	c.Reader = c.layout.Reader(c.content)
	return nil
}

// ETag is strong and quoted: the same copy gives the same bytes.
func (c *Copy) ETag() string { return c.etag }

// Size is the length of the file.
func (c *Copy) Size() int64 { return c.layout.Size }

// Complete says why a read of [from, to) would be broken off: a part of it has reached the end of its time.
func (c *Copy) Complete(from, to int64) error {
	now := clock.At(c.room.Clock.Now())
	var err error
	c.layout.Touched(from, to, func(entry int) bool {
		if f := c.items[entry].File; f != nil && f.Until != 0 && f.Until <= now {
			err = problem.Gone("export.parts_gone")
		}
		return err == nil
	})
	return err
}

// content reads a piece of an entry.
func (c *Copy) content(entry int, b []byte, off int64) error {
	if err := c.wait(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return permit.ErrEnded
	}
	e := &c.items[entry]
	if e.File == nil {
		_, err := c.thawed.ReadAt(b, e.From+off)
		return err
	}
	if c.at != entry {
		if err := c.turn(entry); err != nil {
			return err
		}
	}
	if n, err := c.open.ReadAt(b, off); n < len(b) {
		return fmt.Errorf("read %s: %w", e.Path, errors.Join(err, io.ErrUnexpectedEOF))
	}
	return nil
}

// turn opens another file, which must be the one that was summed up.
func (c *Copy) turn(entry int) error {
	c.letGo()
	e := &c.items[entry]
	for _, h := range c.room.Holders() {
		of, ok := h.(rights.Library)
		if !ok || h.Room() != e.Room {
			continue
		}
		open, err := of.Open(c.lease.Context(), c.lease, c.whose, *e.File)
		if err != nil {
			return err
		}
		if open.Size() != e.Size || open.ETag() != e.ETag {
			_ = open.Close()
			return problem.Gone("export.parts_gone").Because(fmt.Errorf("%s is another film now", e.Path))
		}
		c.open, c.at = open, entry
		return nil
	}
	return problem.Gone("export.parts_gone").Because(fmt.Errorf("no room has %s", e.Path))
}

func (c *Copy) letGo() {
	if c.open != nil {
		_ = c.open.Close() // read only: nothing to lose
	}
	c.open, c.at = nil, -1
}

// wait returns nil when the lease lets data through, and waits while it is paused.
func (c *Copy) wait() error {
	for {
		switch c.lease.State() {
		case permit.Open:
			if clock.At(c.room.Clock.Now()) >= c.expires {
				return problem.Gone("export.ended")
			}
			return nil
		case permit.Ended:
			return permit.ErrEnded
		}
		if c.lease.Context().Err() != nil {
			return permit.ErrEnded
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Close lets go of keys, plain text and files. The end of the lease does it, too.
func (c *Copy) Close() error {
	if c.key != nil {
		c.key.Zero() // first: a read that is under way opens nothing more
	}
	c.room.mu.Lock()
	delete(c.room.open, c)
	c.room.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	c.letGo()
	if c.thawed != nil {
		c.thawed.forget()
	}
	if c.object != nil {
		return c.object.Close()
	}
	return nil
}
