package seal_test

import (
	"bytes"
	"errors"
	"testing"

	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/seal"
)

var nonce = make([]byte, 12)

func TestObjectsOpenUnderTheirName(t *testing.T) {
	b := newBench(t)
	day := footage(camera(person()), 100)
	at := place(day)
	w, wrapped, keyID, err := b.NewObject(ctx, day, []byte("segment 1"))
	if err != nil {
		t.Fatal(err)
	}
	chunk := w.AEAD().Seal(nil, nonce, []byte("picture"), nil)
	r, err := b.OpenObject(ctx, b.permit(at), at, keyID, wrapped, []byte("segment 1"))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := r.AEAD().Open(nil, nonce, chunk, nil); err != nil || string(plain) != "picture" {
		t.Errorf("opened %q, %v", plain, err)
	}
	other := footage(camera(person()), 100)
	otherKey := b.ensure(other)
	foreign := at
	foreign.Binding = other.Binding
	for name, c := range map[string]struct {
		permit  permit.Permit
		place   seal.Place
		key     id.Key
		wrapped []byte
		aad     string
	}{
		"another name":     {b.permit(at), at, keyID, wrapped, "segment 2"},
		"another key":      {b.permit(at), at, otherKey, wrapped, "segment 1"},
		"no such key":      {b.permit(at), at, id.Key(account()), wrapped, "segment 1"},
		"another camera":   {b.permit(foreign), foreign, keyID, wrapped, "segment 1"},
		"changed bytes":    {b.permit(at), at, keyID, append([]byte{wrapped[0] ^ 1}, wrapped[1:]...), "segment 1"},
		"cut":              {b.permit(at), at, keyID, wrapped[:20], "segment 1"},
		"no permit":        {permit.Permit{}, at, keyID, wrapped, "segment 1"},
		"another category": {b.permit(at, func(g *permit.Grant) { g.Categories = []passport.Category{passport.Identity} }), at, keyID, wrapped, "segment 1"},
	} {
		if k, err := b.OpenObject(ctx, c.permit, c.place, c.key, c.wrapped, []byte(c.aad)); !errors.Is(err, seal.ErrClosed) || k != nil {
			t.Errorf("%s: %v, %v", name, k, err)
		}
	}
}

func TestZeroReachesThoseWhoHoldTheCipher(t *testing.T) {
	b := newBench(t)
	day := footage(camera(person()), 100)
	at := place(day)
	w, wrapped, keyID, err := b.NewObject(ctx, day, nil)
	if err != nil {
		t.Fatal(err)
	}
	aead := w.AEAD()
	before := aead.Seal(nil, nonce, []byte("x"), nil)
	w.Zero()
	w.Zero()
	if _, err := aead.Open(nil, nonce, before, nil); err == nil {
		t.Error("it still opens")
	}
	after := aead.Seal(nil, nonce, []byte("x"), nil)
	r, err := b.OpenObject(ctx, b.permit(at), at, keyID, wrapped, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.AEAD().Open(nil, nonce, after, nil); err == nil {
		t.Error("what was sealed after Zero opens")
	}
	if _, err := r.AEAD().Open(nil, nonce, before, nil); err != nil {
		t.Errorf("what was sealed before does not: %v", err)
	}
}

func TestKeepingAClipOutlivesItsDay(t *testing.T) {
	b := newBench(t)
	day := footage(camera(person()), 100)
	at := place(day)
	w, wrapped, keyID, err := b.NewObject(ctx, day, []byte("clip"))
	if err != nil {
		t.Fatal(err)
	}
	chunk := w.AEAD().Seal(nil, nonce, []byte("picture"), nil)
	kept := day
	kept.Bucket.Class = seal.Kept
	again, keptID, err := b.Rewrap(ctx, b.permit(at), at, keyID, wrapped, []byte("clip"), kept)
	if err != nil || keptID == keyID || bytes.Equal(again, wrapped) {
		t.Fatalf("rewrapped under %v, %v", keptID, err)
	}
	if _, _, err := b.Rewrap(ctx, b.permit(at), at, keyID, wrapped, []byte("clip"), footage(camera(person()), 100)); !errors.Is(err, seal.ErrScope) {
		t.Errorf("to another person's bucket: %v", err)
	}
	s := seal.Buckets(day.Tenant, day.Subject, day.Binding, passport.Footage)
	s.Class = seal.Continuous
	b.destroy(s, seal.Expired)
	r, err := b.OpenObject(ctx, b.permit(at), at, keptID, again, []byte("clip"))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := r.AEAD().Open(nil, nonce, chunk, nil); err != nil || string(plain) != "picture" {
		t.Errorf("kept clip: %q, %v", plain, err)
	}
	if _, err := b.OpenObject(ctx, b.permit(at), at, keyID, wrapped, []byte("clip")); !errors.Is(err, seal.ErrClosed) {
		t.Errorf("the day's own wrapping: %v", err)
	}
}
