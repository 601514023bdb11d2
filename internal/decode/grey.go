package decode

import (
	"context"
	"errors"
	"fmt"

	"candor/internal/decode/wire"
	"candor/internal/media"
)

// Size of a grey picture.
const (
	GreyWidth  = wire.GreyWidth
	GreyHeight = wire.GreyHeight
)

// ErrKeysOnly says that the decoder of this machine decodes key units on their own only.
var ErrKeysOnly = errors.New("this decoder knows key pictures only")

// Sequence names units that build on each other, one request after the other. The zero Sequence
// is a key unit on its own.
type Sequence struct {
	ID     uint32 // of NewSequence
	Begins bool   // the first unit is a key unit; what went before is forgotten
}

// NewSequence is a number that no other sequence has.
func (p *Pool) NewSequence() uint32 { return p.sequence.Add(1) }

// Grey decodes units of one track and makes the last picture a small one: its luma from 0 to 255,
// GreyWidth × GreyHeight, each pixel the mean of the area that it covers. A sequence
// that failed is over, with the child or without; it begins anew at a key unit. Problems:
// decode.none, decode.failed; and ErrKeysOnly.
func (p *Pool) Grey(ctx context.Context, q Sequence, units ...*media.Unit) ([]byte, error) {
	if len(units) == 0 || units[0].Track == nil || units[0].Track.Codec != media.H264 || !units[0].Key && (q.Begins || q.ID == 0) {
		return nil, failed(errors.New("not pictures that can be decoded here"))
	}
	track := units[0].Track
	body, err := join(track, units)
	if err != nil {
		return nil, err
	}
	a, err := p.ask(ctx, wire.Request{Kind: wire.Grey, Sequence: q.ID, Begins: q.Begins, SPS: track.SPS, PPS: track.PPS, Unit: body})
	if err != nil {
		return nil, err
	}
	if len(a.Picture) != GreyWidth*GreyHeight {
		return nil, failed(fmt.Errorf("a grey picture of %d bytes", len(a.Picture)))
	}
	return a.Picture, nil
}

// join makes one body of units of a track.
func join(track *media.Track, units []*media.Unit) ([]byte, error) {
	size := 0
	for _, u := range units {
		if len(units) > 1 && u.Track != track {
			return nil, failed(errors.New("units of two tracks"))
		}
		size += len(u.Data) + 4
	}
	if len(units) > wire.MaxUnits || size+len(track.SPS)+len(track.PPS) > wire.MaxRequest-64 {
		return nil, failed(fmt.Errorf("%d units of %d bytes at once", len(units), size))
	}
	body := make([]byte, 0, size)
	for _, u := range units {
		body = wire.AppendUnit(body, u.Data)
	}
	return body, nil
}
