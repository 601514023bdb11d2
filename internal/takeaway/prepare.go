package takeaway

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"net/http"
	"slices"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/rights"
	"candor/internal/seal"
	"candor/internal/takeaway/archive"
)

// begin makes a copy behind whoever asked for it.
func (r *Room) begin(w *row) {
	r.mu.Lock()
	j := &job{}
	r.jobs[w.ID] = j
	r.mu.Unlock()
	r.work.Go(func() {
		defer func() {
			r.mu.Lock()
			delete(r.jobs, w.ID)
			r.mu.Unlock()
		}()
		r.making.Lock()
		defer r.making.Unlock()
		if r.ctx.Err() != nil {
			return
		}
		if why := r.run(w, j); why != "" {
			if err := r.end(context.WithoutCancel(r.ctx), w, why); err != nil {
				r.Log.Error("a copy that was not made stays for now", "err", err)
			}
		}
	})
}

// run makes a copy, or says why it ends; nothing when the program does, and the next start goes on.
func (r *Room) run(w *row, j *job) Why {
	lease, err := r.Lease(r.ctx, w.Tenant, w.Subject)
	if err == nil {
		defer lease.End(nil)
		err = r.prepare(lease, w, j)
	}
	switch {
	case err == nil:
		r.tell(w)
		return ""
	case r.ctx.Err() != nil:
		return ""
	case lease != nil && lease.State() == permit.Ended:
		return Changed
	}
	r.Log.Error("a copy could not be made", "err", err)
	return Failed
}

// item is one entry of a copy, as the index keeps it.
type item struct {
	Path string       `json:"path"`
	Size int64        `json:"size"`
	CRC  uint32       `json:"crc"`
	Sum  []byte       `json:"sum"` // SHA-256
	At   clock.Millis `json:"at"`
	From int64        `json:"from"`           // where it begins in the frozen object
	Room string       `json:"room,omitempty"` // of a file, which lies elsewhere
	File *rights.File `json:"file,omitempty"`
	ETag string       `json:"etag,omitempty"`
}

// book is a copy in the making.
type book struct {
	room   *Room
	row    *row
	job    *job
	lease  *permit.Lease
	frozen *freezer
	items  []item
	manifest
}

// manifest is what a copy says of itself.
type manifest struct {
	Format  string     `json:"format"`
	MadeAt  string     `json:"made_at"`
	Person  id.Subject `json:"person"`
	Policy  string     `json:"policy_sha256"`
	Rooms   []shelf    `json:"rooms"`
	Entries []listed   `json:"entries"`
	LeftOut []left     `json:"left_out"`
}

type shelf struct {
	Room  string           `json:"room"`
	Lines int64            `json:"lines"`
	Held  map[string]int64 `json:"held"` // kind → how many the inventory counts
}

type listed struct {
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

type left struct {
	Path    string `json:"path"`
	Because string `json:"because"`
}

// prepare freezes what can be written down and sums up what is read again later.
func (r *Room) prepare(lease *permit.Lease, w *row, j *job) (err error) {
	ctx := lease.Context()
	if err := r.Store.Delete(w.object()); err != nil { // of an attempt that was interrupted
		return err
	}
	key, wrapped, name, err := r.Keys.NewObject(ctx, scope(w), w.aad())
	if err != nil {
		return err
	}
	defer key.Zero()
	draft, err := r.Store.Create(w.object())
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, draft.Close(), r.Store.Delete(w.object()))
		}
	}()
	b := &book{room: r, row: w, job: j, lease: lease, frozen: newFreezer(draft, key.AEAD())}
	made := clock.At(r.Clock.Now())
	b.manifest = manifest{Format: "candor.copy.1", MadeAt: stamp(made), Person: w.Subject, Policy: r.Policy, LeftOut: []left{}}
	size, err := b.write(ctx, made)
	if err != nil {
		return err
	}
	if err := errors.Join(b.frozen.flush(), draft.Sync()); err != nil {
		return err
	}
	w.Key, w.Wrapped, w.Frozen, w.Size, w.Total = name, wrapped, b.frozen.at, size, j.done.Load()
	if err := draft.Commit(); err != nil {
		return err
	}
	return b.publish(ctx)
}

// publish makes the copy ready, unless it was ended meanwhile.
func (b *book) publish(ctx context.Context) error {
	w := b.row
	if b.lease.State() == permit.Ended {
		return permit.ErrEnded
	}
	ready := clock.At(b.room.Clock.Now())
	res, err := b.room.DB.Write.NewRaw(`UPDATE takeaway_export SET state = ?, ready_ms = ?, whole_ms = ?, size = ?, total = ?, key_id = ?, wrapped = ?,
		frozen = ?, index_at = ? WHERE id = ? AND state = ?`, string(Ready), int64(ready), int64(w.Whole), w.Size, w.Total, w.Key, w.Wrapped,
		w.Frozen, w.Index, w.ID, string(Preparing)).Exec(ctx)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, errors.New("the copy was ended while it was made"), b.room.Store.Delete(w.object()))
	}
	w.State, w.ReadyAt = Ready, ready
	return nil
}

// write writes everything, the index last, and returns the archive's size.
func (b *book) write(ctx context.Context, made clock.Millis) (int64, error) {
	whose := rights.Whose{Tenant: b.row.Tenant, Subject: b.row.Subject}
	holders := slices.Clone(b.room.Holders())
	slices.SortFunc(holders, func(x, y rights.Holder) int { return cmp.Compare(x.Room(), y.Room()) })
	if err := b.estimate(ctx, holders, whose); err != nil {
		return 0, err
	}
	readme := b.room.Readme(b.row.Language, made)
	if err := b.freeze("README.txt", made, func(to io.Writer) error { _, err := io.WriteString(to, readme); return err }); err != nil {
		return 0, err
	}
	for _, h := range holders {
		if err := b.lines(ctx, h, whose, made); err != nil {
			return 0, fmt.Errorf("copy %s: %w", h.Room(), err)
		}
	}
	if err := b.films(ctx, holders, whose, made); err != nil {
		return 0, err
	}
	for _, e := range b.items {
		b.Entries = append(b.Entries, listed{e.Path, e.Size, hex.EncodeToString(e.Sum)})
	}
	err := b.freeze("manifest.json", made, func(to io.Writer) error {
		out := json.NewEncoder(to)
		out.SetIndent("", "  ")
		return out.Encode(b.manifest)
	})
	if err != nil {
		return 0, err
	}
	layout, err := lay(b.items)
	if err != nil {
		return 0, err
	}
	b.row.Index = b.frozen.at
	return layout.Size, json.NewEncoder(b.frozen).Encode(b.items)
}

// estimate says how much there is to read, for whoever watches.
func (b *book) estimate(ctx context.Context, holders []rights.Holder, whose rights.Whose) error {
	var total int64
	for _, h := range holders {
		held, err := h.Count(ctx, b.lease.Permit(), whose)
		if err != nil {
			return fmt.Errorf("count %s: %w", h.Room(), err)
		}
		for _, line := range held {
			total += line.Bytes
		}
	}
	b.job.total.Store(total)
	b.room.tell(b.row)
	return nil
}

// freeze writes an entry into the frozen object.
func (b *book) freeze(path string, at clock.Millis, write func(io.Writer) error) error {
	e := item{Path: path, At: at, From: b.frozen.at}
	s := newSums()
	if err := write(io.MultiWriter(b.frozen, s)); err != nil {
		return err
	}
	e.Size, e.CRC, e.Sum = s.n, s.crc.Sum32(), s.sha.Sum(nil)
	b.items = append(b.items, e)
	return nil
}

// lines copies what a room says of the person. A room with nothing to say has no folder.
//
// promise:P266
func (b *book) lines(ctx context.Context, h rights.Holder, whose rights.Whose, made clock.Millis) error {
	if promise.Cut("P266") {
		return nil
	}
	held, err := h.Count(ctx, b.lease.Permit(), whose)
	if err != nil {
		return err
	}
	s := shelf{Room: h.Room(), Held: map[string]int64{}}
	for _, line := range held {
		s.Held[line.Kind] += line.Count
	}
	counted := &lineCounter{}
	err = b.freeze(h.Room()+"/"+h.Room()+".jsonl", made, func(to io.Writer) error {
		return h.Export(ctx, b.lease.Permit(), whose, io.MultiWriter(to, counted))
	})
	if err != nil {
		return err
	}
	if s.Lines = counted.n; s.Lines == 0 {
		b.items = b.items[:len(b.items)-1]
		if len(held) == 0 {
			return nil
		}
	}
	b.Rooms = append(b.Rooms, s)
	return nil
}

// films sums up the files of all rooms, oldest first: what goes first should be downloaded first.
func (b *book) films(ctx context.Context, holders []rights.Holder, whose rights.Whose, made clock.Millis) error {
	type file struct {
		of rights.Library
		rights.File
	}
	var all []file
	for _, h := range holders {
		of, ok := h.(rights.Library)
		if !ok {
			continue
		}
		files, err := of.Files(ctx, b.lease.Permit(), whose)
		if err != nil {
			return fmt.Errorf("list files of %s: %w", h.Room(), err)
		}
		for _, f := range files {
			all = append(all, file{of, f})
		}
	}
	slices.SortStableFunc(all, func(x, y file) int {
		return cmp.Or(cmp.Compare(x.From, y.From), cmp.Compare(x.of.Room()+x.Path, y.of.Room()+y.Path))
	})
	for _, f := range all {
		if f.Until != 0 && f.Until < made+margin(f.File) {
			b.LeftOut = append(b.LeftOut, left{f.of.Room() + "/" + f.Path, "it reaches the end of its time within a day"})
			continue
		}
		switch err := b.film(ctx, f.of, whose, f.File); {
		case isGone(err):
			b.LeftOut = append(b.LeftOut, left{f.of.Room() + "/" + f.Path, "it was let go of, or holds nothing that plays"})
		case err != nil:
			return fmt.Errorf("copy a file of %s: %w", f.of.Room(), err)
		case f.Until != 0 && (b.row.Whole == 0 || f.Until < b.row.Whole):
			b.row.Whole = f.Until
		}
	}
	return nil
}

// margin is how much longer a file must stay to be worth a place: a day, or a seventh of its time.
func margin(f rights.File) clock.Millis {
	return min(clock.Millis(day.Milliseconds()), (f.Until-f.From)/7)
}

func isGone(err error) bool {
	p, ok := problem.Of(err)
	return ok && (p.Status == http.StatusGone || p.Status == http.StatusNotFound)
}

// film reads a file once, for its sums.
func (b *book) film(ctx context.Context, of rights.Library, whose rights.Whose, f rights.File) error {
	c, err := of.Open(ctx, b.lease, whose, f)
	if err != nil {
		return err
	}
	defer c.Close()
	s := newSums()
	buf := make([]byte, 1<<20)
	for s.n < c.Size() {
		if err := ctx.Err(); err != nil {
			return err
		}
		k := min(int64(len(buf)), c.Size()-s.n)
		if n, err := c.ReadAt(buf[:k], s.n); int64(n) < k {
			return fmt.Errorf("read %s: %w", f.Path, cmp.Or(err, io.ErrUnexpectedEOF))
		}
		_, _ = s.Write(buf[:k])
		b.job.done.Add(k)
		if now := b.room.Clock.Now(); now.Sub(b.job.told) >= time.Second {
			b.job.told = now
			b.room.tell(b.row)
		}
	}
	b.items = append(b.items, item{
		Path: of.Room() + "/" + f.Path, Size: s.n, CRC: s.crc.Sum32(), Sum: s.sha.Sum(nil), At: f.From, Room: of.Room(), File: &f, ETag: c.ETag(),
	})
	return nil
}

func lay(items []item) (*archive.Layout, error) {
	entries := make([]archive.Entry, len(items))
	for i, e := range items {
		entries[i] = archive.Entry{Name: e.Path, Size: e.Size, CRC: e.CRC, At: e.At.Time()}
	}
	return archive.Lay(entries)
}

func scope(w *row) seal.Scope {
	return seal.Scope{Tenant: w.Tenant, Subject: w.Subject, Export: id.RowOf(w.ID)}
}

func stamp(at clock.Millis) string { return at.Time().Format("2006-01-02T15:04:05.000Z") }

// sums are length, CRC-32 and SHA-256 of what was written.
type sums struct {
	n   int64
	crc hash.Hash32
	sha hash.Hash
}

func newSums() *sums { return &sums{crc: crc32.NewIEEE(), sha: sha256.New()} }

func (s *sums) Write(b []byte) (int, error) {
	_, _ = s.crc.Write(b)
	_, _ = s.sha.Write(b)
	s.n += int64(len(b))
	return len(b), nil
}

type lineCounter struct{ n int64 }

func (c *lineCounter) Write(b []byte) (int, error) {
	c.n += int64(bytes.Count(b, []byte{'\n'}))
	return len(b), nil
}
