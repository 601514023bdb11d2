package wire

import (
	"bytes"
	"io"
	"reflect"
	"strings"
	"testing"
)

var requests = []Request{
	{Kind: Describe, SPS: []byte{}, PPS: []byte{}, Unit: []byte{}},
	{Kind: Grey, Sequence: 7, Begins: true, SPS: []byte{0x67, 1}, PPS: []byte{0x68}, Unit: AppendUnit(AppendUnit(nil, []byte{1, 2}), []byte{3})},
	{Kind: Picture, MaxWidth: 320, SPS: []byte{0x67, 1}, PPS: []byte{0x68}, Unit: AppendUnit(nil, []byte{0, 0, 0, 2, 0x65, 9})},
}

var answers = []Answer{
	{Picture: []byte{0xff, 0xd8, 0xff, 0xd9}},
	{Engine: "libopenh264 2.3.1 by purego", Confine: "no network"},
	{Failure: "not a picture"},
}

func TestMessagesComeBackAsTheyWere(t *testing.T) {
	var pipe bytes.Buffer
	for _, q := range requests {
		if _, err := Write(&pipe, nil, q.Append); err != nil {
			t.Fatal(err)
		}
		body, err := Read(&pipe, nil, MaxRequest)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseRequest(body)
		if err != nil || !reflect.DeepEqual(got, q) {
			t.Errorf("got %+v, %v, want %+v", got, err, q)
		}
	}
	for _, a := range answers {
		got, err := ParseAnswer(a.Append(nil))
		if err != nil || !bytes.Equal(got.Picture, a.Picture) || got.Engine != a.Engine || got.Failure != a.Failure || got.Confine != a.Confine {
			t.Errorf("got %+v, %v, want %+v", got, err, a)
		}
	}
	if _, err := Read(&pipe, nil, MaxRequest); err != io.EOF {
		t.Errorf("at the end: %v, want io.EOF", err)
	}
}

func TestRefusals(t *testing.T) {
	good := requests[2].Append(nil)
	for name, b := range map[string][]byte{
		"empty":          {},
		"cut":            good[:len(good)-1],
		"longer":         append(bytes.Clone(good), 0),
		"other version":  append([]byte{9}, good[1:]...),
		"unknown kind":   append([]byte{version, 7}, good[2:]...),
		"unknown flags":  append(append(bytes.Clone(good[:8]), 2), good[9:]...),
		"length too big": append(bytes.Clone(good[:9]), 0xff, 0xff, 0xff, 0xff),
	} {
		if q, err := ParseRequest(b); err == nil {
			t.Errorf("%s: parsed as %+v", name, q)
		}
	}
	for name, a := range map[string]Answer{
		"says nothing":    {},
		"says two things": {Picture: []byte{1}, Failure: "x"},
		"a novel":         {Failure: strings.Repeat("x", maxText+1)},
	} {
		if got, err := ParseAnswer(a.Append(nil)); err == nil {
			t.Errorf("%s: parsed as %+v", name, got)
		}
	}
	if _, err := Read(bytes.NewReader([]byte{0xff, 0xff, 0xff, 0xff}), nil, MaxAnswer); err == nil {
		t.Error("a length beyond the limit was read")
	}
}

func TestAnswerTextCannotSteerALog(t *testing.T) {
	got, err := ParseAnswer(Answer{Failure: "a\nlevel=ERROR \x1b[2J"}.Append(nil))
	if err != nil || strings.ContainsAny(got.Failure, "\n\x1b") {
		t.Errorf("got %q, %v", got.Failure, err)
	}
}

func TestUnits(t *testing.T) {
	want := [][]byte{{1, 2, 3}, {}, {4}}
	var b []byte
	for _, u := range want {
		b = AppendUnit(b, u)
	}
	got, err := Units(b)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for name, bad := range map[string][]byte{"cut": b[:len(b)-1], "half a length": append(bytes.Clone(b), 0, 0), "too many": make([]byte, 4*(MaxUnits+1))} {
		if got, err := Units(bad); err == nil {
			t.Errorf("%s: %d units", name, len(got))
		}
	}
}

func FuzzUnits(f *testing.F) {
	f.Add(requests[1].Unit)
	f.Add([]byte{0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		units, err := Units(b)
		if err != nil {
			return
		}
		var again []byte
		for _, u := range units {
			again = AppendUnit(again, u)
		}
		if !bytes.Equal(again, b) {
			t.Errorf("written back as %x, was %x", again, b)
		}
	})
}

func FuzzParseRequest(f *testing.F) {
	for _, q := range requests {
		f.Add(q.Append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := ParseRequest(b)
		if err != nil {
			return
		}
		if again := q.Append(nil); !bytes.Equal(again, b) {
			t.Errorf("written back as %x, was %x", again, b)
		}
	})
}

func FuzzParseAnswer(f *testing.F) {
	for _, a := range answers {
		f.Add(a.Append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := ParseAnswer(b)
		if err == nil && len(a.Failure)+len(a.Engine)+len(a.Picture) > len(b) {
			t.Errorf("more came out than went in")
		}
	})
}
