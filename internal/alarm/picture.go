package alarm

import (
	"context"
	"crypto/rand"
	"errors"
	"io"

	"candor/internal/blob"
	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/seal"
)

// A picture's object is version ‖ nonce ‖ sealed JPEG, under a key of its own.
const pictureV1 = 1

func aad(e id.Sighting, object id.Row) []byte {
	return append(append([]byte(picturePassport), e[:]...), object[:]...)
}

// putPicture keeps a picture under a fresh name and enters it in the row. The context is the lease's.
func (r *Room) putPicture(ctx context.Context, w *row, jpeg []byte) error {
	object := id.Random[id.Row]()
	key, wrapped, name, err := r.Keys.NewObject(ctx, w.camera().scope(w.Day), aad(w.ID, object))
	if err != nil {
		return err
	}
	defer key.Zero()
	cipher := key.AEAD()
	out := make([]byte, 1+cipher.NonceSize(), 1+cipher.NonceSize()+len(jpeg)+cipher.Overhead())
	out[0] = pictureV1
	_, _ = rand.Read(out[1:])
	out = cipher.Seal(out, out[1:], jpeg, nil)
	w.Object, w.Bytes, w.Key, w.Wrapped = object, int64(len(out)), name, wrapped
	draft, err := r.Store.Create(w.object())
	if err != nil {
		return err
	}
	if _, err = draft.Write(out); err == nil {
		err = draft.Sync()
	}
	if err != nil {
		return errors.Join(err, draft.Close(), r.Store.Delete(w.object()))
	}
	return draft.Commit()
}

// Picture is an event's picture and when it was taken.
func (r *Room) Picture(ctx context.Context, p permit.Permit, b id.Binding, e id.Sighting) ([]byte, clock.Millis, error) {
	w, ev, err := r.read(ctx, p, b, e)
	if err != nil {
		return nil, 0, err
	}
	jpeg, err := r.picture(ctx, p, w)
	return jpeg, ev.Shown, err
}

// picture opens the picture of a row that the permit reaches.
func (r *Room) picture(ctx context.Context, p permit.Permit, w *row) ([]byte, error) {
	if w.Bytes == 0 {
		return nil, problem.New(404, "alarm.no_picture")
	}
	key, err := r.Keys.OpenObject(ctx, p, place(w.camera(), picturePassport, w.ID), w.Key, w.Wrapped, aad(w.ID, w.Object))
	if errors.Is(err, seal.ErrClosed) {
		return nil, problem.NotFound().Because(err)
	}
	if err != nil {
		return nil, err
	}
	defer key.Zero()
	o, err := r.Store.Open(w.object())
	if errors.Is(err, blob.ErrNotFound) {
		return nil, problem.New(404, "alarm.no_picture").Because(err)
	}
	if err != nil {
		return nil, err
	}
	defer o.Close()
	size, err := o.Size()
	if err != nil {
		return nil, err
	}
	cipher := key.AEAD()
	if size != w.Bytes || size < int64(1+cipher.NonceSize()+cipher.Overhead()) || size > 2*largestPicture {
		return nil, problem.New(404, "alarm.no_picture").Because(io.ErrUnexpectedEOF)
	}
	b := make([]byte, size)
	if _, err := o.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	jpeg, err := cipher.Open(nil, b[1:1+cipher.NonceSize()], b[1+cipher.NonceSize():], nil)
	if err != nil || b[0] != pictureV1 {
		return nil, problem.New(404, "alarm.no_picture").Because(seal.ErrClosed)
	}
	return jpeg, nil
}
