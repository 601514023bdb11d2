package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"candor/clips"
	"candor/internal/blob"
	"candor/internal/clock"
	"candor/internal/democam"
	"candor/internal/footage"
	"candor/internal/id"
	"candor/internal/ingest"
	"candor/internal/media"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/rights"
	"candor/internal/seal"
	"candor/internal/sqldb"
)

// held is a data folder with the rooms that keep footage and let go of it.
type held struct {
	db     *sqldb.DB
	keys   *seal.Keeper
	room   *footage.Room
	issuer *permit.Issuer
}

func openHeld(ctx context.Context, dir string, fresh bool) (*held, error) {
	h := &held{issuer: permit.NewIssuer(clock.Wall)}
	store, err := blob.OpenDisk(filepath.Join(dir, "footage"))
	if err != nil {
		return nil, err
	}
	if h.db, err = sqldb.Open(ctx, filepath.Join(dir, "candor.db")); err != nil {
		return nil, err
	}
	if h.keys, err = seal.Open(ctx, seal.Options{Dir: filepath.Join(dir, "keys"), Fresh: fresh, Clock: clock.Wall}); err != nil {
		return nil, errors.Join(err, h.db.Close())
	}
	h.room = &footage.Room{DB: h.db, Keys: h.keys, Store: store, Clock: clock.Wall, Log: slog.New(slog.DiscardHandler), Reserve: 1}
	if err := h.room.Open(ctx); err != nil {
		return nil, errors.Join(err, h.keys.Close(), h.db.Close())
	}
	return h, nil
}

func (h *held) close() error { return errors.Join(h.room.Close(), h.keys.Close(), h.db.Close()) }

func (h *held) grant(c footage.Camera, a permit.Action) permit.Grant {
	return permit.Grant{
		Tenant: c.Tenant, Subject: c.Subject, Actor: permit.System("bench"), Action: a, Purpose: passport.Recording,
		Categories: []passport.Category{passport.Footage}, Expires: time.Now().Add(time.Hour),
	}
}

// office is where goodbyes are said, with the footage room as the one that holds things.
func (h *held) office() *rights.Office {
	return &rights.Office{
		DB: h.db, Keys: h.keys, Clock: clock.Wall, Log: slog.New(slog.DiscardHandler),
		Revoke:     func(context.Context, rights.Whose) error { return nil }, // nobody is watching
		Holders:    []rights.Holder{h.room.Holder()},
		Rests:      func(passport.Purpose) []passport.Category { return []passport.Category{passport.Footage} },
		BackupDays: 30, ReceiptDays: 30, Patience: 10 * time.Minute,
	}
}

// fill records n segments of one camera, spread over days: each is a key picture and a few more of
// a real clip, then the camera is silent until the next.
func (h *held) fill(ctx context.Context, c footage.Camera, desc *media.Description, gop []*media.Unit, n, days int) error {
	g := h.grant(c, permit.CameraRecord)
	g.Binding = c.Binding
	lease := h.issuer.Lease(ctx, g)
	defer lease.End(nil)
	stream := media.NewHub().Open(media.Key{Device: c.Device, Profile: media.Main})
	stream.Describe(desc)
	rec, err := h.room.Record(lease, c, media.Main, stream)
	if err != nil {
		return err
	}
	step := int64(days) * 24 * 3600 * media.TickRate / int64(n)
	start := clock.At(time.Now().Add(-time.Duration(days) * 24 * time.Hour))
	sent, told := int64(0), time.Now()
	for i := range int64(n) {
		for _, u := range gop {
			v := *u
			v.DTS = i*step + u.DTS - gop[0].DTS + 1
			v.PTS = v.DTS + u.PTS - u.DTS
			v.Wall = start + clock.Millis(v.DTS/(media.TickRate/1000))
			if !stream.Write(&v) {
				return errors.New("the stream took no unit")
			}
			sent++
		}
		for sent-h.room.Metrics.Units.Load() > 200 { // the recording's window is larger
			if ctx.Err() != nil {
				return ctx.Err()
			}
			time.Sleep(time.Millisecond)
		}
		if time.Since(told) > 5*time.Second {
			told = time.Now()
			say("erase: %d of %d segments are recorded", i, n)
		}
	}
	for h.room.Metrics.Units.Load() < sent && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	rec.Stop(footage.Restart)
	lines, err := h.room.Holder().Count(ctx, h.issuer.Permit(h.grant(c, permit.PrivacyRead)), rights.Whose{Tenant: c.Tenant, Subject: c.Subject})
	if err != nil {
		return err
	}
	if len(lines) != 1 || lines[0].Count != int64(n) {
		return fmt.Errorf("want %d segments, the room holds %+v", n, lines)
	}
	return nil
}

// sample is a key picture of a real clip and some pictures after it, pulled from a camera.
func sample(ctx context.Context, pictures int) (*media.Description, []*media.Unit, error) {
	cam := &democam.Server{FS: clips.Files, Main: "people.sub.mp4"}
	if err := cam.Start(); err != nil {
		return nil, nil, err
	}
	defer cam.Close()
	hub, device := media.NewHub(), id.Make[id.Device]()
	pull := &ingest.Supervisor{Hub: hub, Clock: clock.Wall, Log: slog.New(slog.DiscardHandler), Dialer: func(id.Binding) ingest.Dialer { return &net.Dialer{} }}
	defer pull.Close()
	binding := id.Make[id.Binding]()
	lease := permit.NewIssuer(clock.Wall).Lease(ctx, permit.Grant{Binding: binding, Action: permit.CameraPull, Expires: time.Now().Add(time.Hour)})
	defer lease.End(nil)
	pull.Start(lease, ingest.Spec{Binding: binding, Device: device, Main: ingest.Address{URL: cam.URL(media.Main)}})
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		if s, ok := hub.Stream(media.Key{Device: device, Profile: media.Main}); ok {
			if _, gop := s.Last(); len(gop) >= pictures {
				return s.Description(), gop[:pictures], nil
			}
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return nil, nil, fmt.Errorf("no picture came: %w", err)
		}
	}
}

// copyTree copies a closed data folder and brings it onto the medium.
func copyTree(from, to string) error {
	return os.CopyFS(to, os.DirFS(from))
}
