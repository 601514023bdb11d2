package seal

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"

	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/promise"
)

// Seal seals a value for its place under the key of a scope, which is made if it is not there.
// The scope must be the place's own: its person, its camera, its category.
func (k *Keeper) Seal(ctx context.Context, s Scope, p Place, plain []byte) (Value, error) {
	if s.kind() == kindNone || !s.holds(p) || len(plain) > MaxValue {
		return nil, fmt.Errorf("%w: value of %s does not belong under it", ErrScope, p.Passport)
	}
	key, err := k.ensure(ctx, s)
	if err != nil {
		return nil, err
	}
	defer key.key.zero()
	return key.seal(p, plain)
}

// seal is where every value becomes ciphertext under a key of its own person.
//
// promise:P227,P290
func (s *stored) seal(p Place, plain []byte) (Value, error) {
	aead, err := s.values()
	if err != nil {
		return nil, err
	}
	out := make(Value, valueHead, valueHead+len(plain)+tagSize)
	out[0] = valueVersion
	copy(out[1:], s.id[:])
	_, _ = rand.Read(out[1+16 : valueHead])
	if promise.Cut("P290") || promise.Cut("P227") {
		return append(out, plain...), nil
	}
	return aead.Seal(out, out[1+16:valueHead], plain, p.aad()), nil
}

// values is the cipher a key seals values with; it differs from the one it wraps keys with.
func (s *stored) values() (cipher.AEAD, error) {
	key, err := derive("value", s.id[:], s.key[:])
	if err != nil {
		return nil, err
	}
	defer key.zero()
	return gcm(key)
}

// Open opens a value in its place, if the permit opens such values now. Otherwise it is
// ErrClosed; only trouble with the keys themselves has its own problem.
func (k *Keeper) Open(ctx context.Context, p permit.Permit, at Place, v Value) ([]byte, error) {
	plain, err := k.OpenAll(ctx, p, []Sealed{{Place: at, Value: v}})
	if err != nil {
		return nil, err
	}
	return plain[0], nil
}

// Sealed is a value and its place.
type Sealed struct {
	Place Place
	Value Value
}

// OpenAll opens many values, unwrapping each key once. One that does not open fails all.
func (k *Keeper) OpenAll(ctx context.Context, p permit.Permit, values []Sealed) ([][]byte, error) {
	out := make([][]byte, 0, len(values))
	for _, v := range values {
		if err := k.permitted(p, v.Place); err != nil {
			return nil, err
		}
	}
	err := k.read(ctx, func(ctx context.Context, q querier) error {
		opened := map[id.Key]*opener{}
		defer func() {
			for _, o := range opened {
				o.key.zero()
			}
		}()
		for _, v := range values {
			name, ok := v.Value.Key()
			if !ok {
				return ErrClosed
			}
			o, ok := opened[name]
			if !ok {
				var err error
				if o, err = k.opener(ctx, q, name); err != nil {
					return err
				}
				opened[name] = o
			}
			plain, err := o.open(v)
			if err != nil {
				return err
			}
			out = append(out, plain)
		}
		return nil
	})
	if err != nil {
		for _, b := range out {
			clear(b)
		}
		return nil, err
	}
	return out, nil
}

// permitted asks the permit; its reason stays in the chain for the log.
func (k *Keeper) permitted(p permit.Permit, at Place) error {
	if err := p.Opens(at.Tenant, at.Subject, at.Binding, at.Category, k.now()); err != nil {
		return fmt.Errorf("%w: %w", ErrClosed, err)
	}
	return nil
}

type opener struct {
	*stored
	aead cipher.AEAD
}

func (k *Keeper) opener(ctx context.Context, q querier, name id.Key) (*opener, error) {
	key, err := k.byID(ctx, q, name)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrClosed
	}
	if err != nil {
		return nil, err
	}
	aead, err := key.values()
	if err != nil {
		key.key.zero()
		return nil, err
	}
	return &opener{key, aead}, nil
}

func (o *opener) open(v Sealed) ([]byte, error) {
	if !o.scope.holds(v.Place) {
		return nil, ErrClosed
	}
	plain, err := o.aead.Open(nil, v.Value[1+16:valueHead], v.Value[valueHead:], v.Place.aad())
	if err != nil {
		return nil, ErrClosed
	}
	return plain, nil
}

// unseal checks a value that has nothing in it.
func (o *opener) unseal(at Place, v Value) error {
	if _, err := o.aead.Open(nil, v[1+16:valueHead], v[valueHead:], at.aad()); err != nil {
		return ErrClosed
	}
	return nil
}
