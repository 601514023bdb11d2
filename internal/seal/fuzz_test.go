package seal_test

import (
	"bytes"
	"errors"
	"testing"

	"candor/internal/seal"
)

// FuzzOpen gives Open whatever lies in a column: only the very bytes that were sealed open.
func FuzzOpen(f *testing.F) {
	b := newBench(f)
	door := camera(person())
	at := place(door)
	v := b.seal(door, at, "the door")
	w, wrapped, keyID, err := b.NewObject(ctx, footage(door, 1), []byte("s"))
	if err != nil {
		f.Fatal(err)
	}
	w.Zero()
	segment := place(footage(door, 1))
	f.Add([]byte(v))
	f.Add([]byte{})
	f.Add(wrapped)
	f.Add(bytes.Repeat([]byte{1}, 44))
	f.Add(append(bytes.Clone(v), 0))
	f.Add([]byte(v[:len(v)-1]))
	f.Add(append([]byte{2}, v[1:]...))
	f.Fuzz(func(t *testing.T, data []byte) {
		plain, err := b.Open(ctx, b.permit(at), at, data)
		if same := bytes.Equal(data, v); same != (err == nil) || err != nil && (!errors.Is(err, seal.ErrClosed) || plain != nil) {
			t.Errorf("%x opened as %q, %v", data, plain, err)
		}
		if opens, err := b.Opens(ctx, data); opens || err != nil {
			t.Errorf("%x passed for a probe: %v", data, err)
		}
		k, err := b.OpenObject(ctx, b.permit(segment), segment, keyID, data, []byte("s"))
		if same := bytes.Equal(data, wrapped); same != (err == nil) || err != nil && (!errors.Is(err, seal.ErrClosed) || k != nil) {
			t.Errorf("%x opened as an object key: %v", data, err)
		}
	})
}
