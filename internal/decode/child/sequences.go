package child

import (
	"errors"
	"fmt"
	"time"

	"candor/internal/decode/wire"
)

// Bounds of what is remembered of cameras.
const (
	maxSequences = 32
	maxSequenced = 24 << 20        // pixels of all their pictures together
	idle         = 5 * time.Second // a sequence unused for so long makes room for another
)

// sequences are the decoders that go on from one request to the next, one for each camera whose
// key pictures are rare.
type sequences struct {
	open map[uint32]*open
	now  func() time.Time
}

type open struct {
	sequence
	size dimensions
	used time.Time
}

// goOn decodes units in their sequence and makes the last picture small and grey. A sequence that
// fails is forgotten: the next key unit begins it anew.
func (s *sequences) goOn(q wire.Request, eng engine, units [][]byte) (small []byte, err error) {
	defer func() {
		if err != nil {
			s.close(q.Sequence)
		}
	}()
	if q.Begins {
		if err := s.begin(q, eng); err != nil {
			return nil, err
		}
	}
	o := s.open[q.Sequence]
	if o == nil {
		return nil, errors.New("no such sequence")
	}
	o.used = s.now()
	var f *frame
	for i, unit := range units {
		b, err := annexB(q, unit, i == 0 && q.Begins)
		if err != nil {
			return nil, err
		}
		if f, err = o.next(b, i == len(units)-1); err != nil {
			return nil, err
		}
	}
	if f == nil {
		return nil, errors.New("the last unit holds no whole picture")
	}
	return f.grey(o.size.colour)
}

func (s *sequences) begin(q wire.Request, eng engine) error {
	s.close(q.Sequence)
	size, err := measure(q.SPS)
	if err != nil {
		return err
	}
	if err := s.room(size); err != nil {
		return err
	}
	seq, err := eng.open(size)
	if err != nil {
		return err
	}
	if s.open == nil {
		s.open = map[uint32]*open{}
	}
	s.open[q.Sequence] = &open{sequence: seq, size: size}
	return nil
}

// room makes room for one more sequence, or says that there is none.
func (s *sequences) room(size dimensions) error {
	for id, o := range s.open {
		if s.now().Sub(o.used) > idle {
			s.close(id)
		}
	}
	pixels := size.width * size.height
	for _, o := range s.open {
		pixels += o.size.width * o.size.height
	}
	if len(s.open) >= maxSequences || pixels > maxSequenced && len(s.open) > 0 {
		return fmt.Errorf("no room for a sequence beside %d others", len(s.open))
	}
	return nil
}

func (s *sequences) close(id uint32) {
	if o := s.open[id]; o != nil {
		o.sequence.close()
		delete(s.open, id)
	}
}

func (s *sequences) closeAll() {
	for id := range s.open {
		s.close(id)
	}
}
