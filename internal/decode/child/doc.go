// Package child is the inside of candor-decode: the small process that turns a key picture of a
// camera into a JPEG, and pictures into the small grey ones in which motion is looked for.
//
// It is the only place where foreign C code meets bytes from a camera, so it is built to be
// lost: it has no keys, no network and no files, and the parent kills it when it crashes, hangs
// or has answered often enough. It has no memory of earlier pictures either, but for sequences
// (sequences.go): where key pictures are too rare for motion, the pictures in between need those
// before them. The parent asks for sequences in a child of their own, which makes no stills.
// Nothing else may import this package; candor itself stays a static binary because of that.
package child

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"time"

	"candor/internal/decode/wire"
)

// engine decodes H.264 pictures, given in Annex B form and no larger than size says.
type engine interface {
	name() string
	// decode decodes a key unit and those that follow it, and returns the last picture; an
	// engine that cannot go on from one to the next returns the first.
	decode(annexB [][]byte, size dimensions) (*frame, error)
	// open begins a sequence of pictures that build on each other.
	open(size dimensions) (sequence, error)
}

// sequence decodes one access unit after the other. The frame is the decoder's until the next
// call; nil when the decoder keeps the picture back for now, which it must not with the last one
// of a request.
type sequence interface {
	next(annexB []byte, last bool) (*frame, error)
	close()
}

// Serve answers requests from in on out until in ends.
func Serve(in io.Reader, out io.Writer, choice, confinement string) error {
	eng, err := choose(choice)
	running := sequences{now: time.Now}
	defer running.closeAll()
	r := bufio.NewReaderSize(in, 64<<10)
	var inBuf, outBuf []byte
	for {
		body, readErr := wire.Read(r, inBuf, wire.MaxRequest)
		if errors.Is(readErr, io.EOF) && len(body) == 0 {
			return nil
		}
		if readErr != nil {
			return readErr
		}
		inBuf = body
		a := answer(body, eng, &running, err)
		if a.Engine != "" {
			a.Confine = wire.Clip(confinement)
		}
		if outBuf, readErr = wire.Write(out, outBuf, a.Append); readErr != nil {
			return readErr
		}
	}
}

func answer(body []byte, eng engine, running *sequences, none error) wire.Answer {
	q, err := wire.ParseRequest(body)
	switch {
	case err != nil:
		return failure(err)
	case none != nil:
		return failure(none)
	case q.Kind == wire.Describe:
		return wire.Answer{Engine: wire.Clip(eng.name())}
	}
	units, err := wire.Units(q.Unit)
	if err == nil && len(units) == 0 {
		err = errors.New("no unit")
	}
	var b []byte
	switch {
	case err != nil:
	case q.Kind == wire.Grey && q.Sequence != 0:
		b, err = running.goOn(q, eng, units)
	default:
		b, err = picture(q, eng, units)
	}
	if err != nil {
		return failure(err)
	}
	if len(b) > wire.MaxAnswer-1024 {
		return failure(fmt.Errorf("picture of %d bytes", len(b)))
	}
	return wire.Answer{Picture: b}
}

func failure(err error) wire.Answer { return wire.Answer{Failure: wire.Clip("x" + err.Error())[1:]} }

// choose finds the decoder: the system's libopenh264, else the ffmpeg program.
func choose(choice string) (engine, error) {
	var errs []error
	if choice != "ffmpeg" {
		e, err := newOpenH264()
		if err == nil {
			return e, nil
		}
		errs = append(errs, err)
	}
	if choice != "openh264" {
		e, err := newFFmpeg()
		if err == nil {
			return e, nil
		}
		errs = append(errs, err)
	}
	return nil, fmt.Errorf("no decoder: %w", errors.Join(errs...))
}

// picture decodes one request without a memory.
func picture(q wire.Request, eng engine, units [][]byte) ([]byte, error) {
	size, err := measure(q.SPS)
	if err != nil {
		return nil, err
	}
	var b [][]byte
	for i, unit := range units {
		one, err := annexB(q, unit, i == 0)
		if err != nil {
			return nil, err
		}
		b = append(b, one)
	}
	f, err := eng.decode(b, size)
	switch {
	case err != nil:
		return nil, err
	case q.Kind == wire.Grey:
		return f.grey(size.colour)
	}
	return f.jpeg(q.MaxWidth, size.colour)
}
