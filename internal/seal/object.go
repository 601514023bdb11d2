package seal

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"

	"candor/internal/id"
	"candor/internal/permit"
)

// objectWrapped is nonce ‖ key ‖ tag, kept beside the object.
const objectWrapped = nonceSize + secretSize + tagSize

// ObjectKey is the key of one object, for one writer or one reader.
type ObjectKey struct{ sealer atomic.Pointer[sealer] }

type sealer struct{ cipher.AEAD }

func newObjectKey(key *secret) (*ObjectKey, error) {
	aead, err := gcm(key)
	if err != nil {
		return nil, err
	}
	o := &ObjectKey{}
	o.sealer.Store(&sealer{aead})
	return o, nil
}

// AEAD is the object's AES-256-GCM. The caller chooses the nonces and never uses one twice. It
// stops working with Zero, also where it has been handed on.
func (o *ObjectKey) AEAD() cipher.AEAD { return live{o} }

// Zero lets go of the key. What is sealed after it is sealed under a key nobody holds, and
// nothing opens any more. It may be called twice, and while others work.
func (o *ObjectKey) Zero() {
	nobody := newSecret()
	defer nobody.zero()
	if aead, err := gcm(nobody); err == nil {
		o.sealer.Store(&sealer{aead})
	}
}

// live looks the cipher up at every use, so that Zero reaches those who hold it.
type live struct{ o *ObjectKey }

func (l live) NonceSize() int { return nonceSize }
func (l live) Overhead() int  { return tagSize }
func (l live) Seal(dst, nonce, plain, aad []byte) []byte {
	return l.o.sealer.Load().Seal(dst, nonce, plain, aad)
}
func (l live) Open(dst, nonce, sealed, aad []byte) ([]byte, error) {
	return l.o.sealer.Load().Open(dst, nonce, sealed, aad)
}

// NewObject makes the key of a new object in a bucket (or under a camera, person or export). Store
// wrapped and keyID beside the object; aad is the object's own name and comes back unchanged in
// OpenObject. Like Ensure it makes nothing once ctx has ended.
func (k *Keeper) NewObject(ctx context.Context, s Scope, aad []byte) (o *ObjectKey, wrapped []byte, keyID id.Key, err error) {
	above, err := k.ensure(ctx, s)
	if err != nil {
		return nil, nil, id.Key{}, err
	}
	defer above.key.zero()
	key := newSecret()
	defer key.zero()
	if wrapped, err = above.wrapObject(key, aad); err != nil {
		return nil, nil, id.Key{}, err
	}
	if o, err = newObjectKey(key); err != nil {
		return nil, nil, id.Key{}, err
	}
	return o, wrapped, above.id, nil
}

// OpenObject opens the key of an object whose content is of that place's person, camera and
// category, if the permit does.
func (k *Keeper) OpenObject(ctx context.Context, p permit.Permit, at Place, keyID id.Key, wrapped, aad []byte) (*ObjectKey, error) {
	key, err := k.objectKey(ctx, p, at, keyID, wrapped, aad)
	if err != nil {
		return nil, err
	}
	defer key.zero()
	return newObjectKey(key)
}

// Rewrap moves an object under another key of the same person: keeping a clip moves it from the
// bucket of its day to a longer one. The object itself is not touched. Replace both columns in
// one transaction.
func (k *Keeper) Rewrap(ctx context.Context, p permit.Permit, at Place, keyID id.Key, wrapped, aad []byte, to Scope) ([]byte, id.Key, error) {
	if !to.holds(at) {
		return nil, id.Key{}, fmt.Errorf("%w: object does not belong under it", ErrScope)
	}
	key, err := k.objectKey(ctx, p, at, keyID, wrapped, aad)
	if err != nil {
		return nil, id.Key{}, err
	}
	defer key.zero()
	above, err := k.ensure(ctx, to)
	if err != nil {
		return nil, id.Key{}, err
	}
	defer above.key.zero()
	again, err := above.wrapObject(key, aad)
	return again, above.id, err
}

func (k *Keeper) objectKey(ctx context.Context, p permit.Permit, at Place, keyID id.Key, wrapped, aad []byte) (*secret, error) {
	if err := k.permitted(p, at); err != nil {
		return nil, err
	}
	var key *secret
	err := k.read(ctx, func(ctx context.Context, q querier) error {
		above, err := k.byID(ctx, q, keyID)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrClosed
		}
		if err != nil {
			return err
		}
		defer above.key.zero()
		if !above.scope.holds(at) {
			return ErrClosed
		}
		key, err = above.unwrapObject(wrapped, aad)
		return err
	})
	return key, err
}

func (s *stored) wrapObject(key *secret, aad []byte) ([]byte, error) {
	aead, err := s.objects()
	if err != nil {
		return nil, err
	}
	out := make([]byte, nonceSize, objectWrapped)
	_, _ = rand.Read(out)
	return aead.Seal(out, out, key[:], s.objectAAD(aad)), nil
}

func (s *stored) unwrapObject(wrapped, aad []byte) (*secret, error) {
	if len(wrapped) != objectWrapped {
		return nil, ErrClosed
	}
	aead, err := s.objects()
	if err != nil {
		return nil, err
	}
	key := new(secret)
	if _, err := aead.Open(key[:0], wrapped[:nonceSize], wrapped[nonceSize:], s.objectAAD(aad)); err != nil {
		return nil, ErrClosed
	}
	return key, nil
}

func (s *stored) objects() (cipher.AEAD, error) {
	key, err := derive("object", s.id[:], s.key[:])
	if err != nil {
		return nil, err
	}
	defer key.zero()
	return gcm(key)
}

func (s *stored) objectAAD(aad []byte) []byte {
	return frame([]byte("candor.object.1"), s.scope.Tenant[:], s.scope.Subject[:], s.id[:], aad)
}
