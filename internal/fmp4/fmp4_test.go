package fmp4_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	mc "github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"

	"candor/internal/fmp4"
	"candor/internal/live/livetest"
	"candor/internal/media"
)

func TestFragmentsAreWhatAnotherReaderReads(t *testing.T) {
	video := []fmp4.Sample{{Data: []byte("key"), Duration: 9000, Offset: 18000, Key: true}, {Data: []byte("b"), Duration: 9001, Offset: -9000}}
	sound := []fmp4.Sample{{Data: []byte("sound"), Duration: 1800, Key: true}}
	b := fmp4.Head([]byte("before"), 7, fmp4.Run{Track: 1, Time: 1 << 40, Samples: video}, fmp4.Run{Track: 2, Time: 5, Samples: sound})
	b = append(b[len("before"):], "keybsound"...)
	var parts mc.Parts
	if err := parts.Unmarshal(b); err != nil {
		t.Fatal(err)
	}
	want := mc.Parts{{SequenceNumber: 7, Tracks: []*mc.PartTrack{
		{ID: 1, BaseTime: 1 << 40, Samples: []*mc.Sample{
			{Duration: 9000, PTSOffset: 18000, Payload: []byte("key")},
			{Duration: 9001, PTSOffset: -9000, IsNonSyncSample: true, Payload: []byte("b")},
		}},
		{ID: 2, BaseTime: 5, Samples: []*mc.Sample{{Duration: 1800, Payload: []byte("sound")}}},
	}}}
	if !reflect.DeepEqual(parts, want) {
		t.Errorf("read as %+v", parts)
	}
}

func TestClipsDecode(t *testing.T) {
	for _, name := range []string{"people.mp4", "one-by-one-person-detection.mp4", "car-detection.mp4", "cars.mp4"} {
		t.Run(name, func(t *testing.T) {
			c := livetest.Load(t, name)
			out, err := fmp4.Init(c.Desc.Tracks...)
			if err != nil {
				t.Fatal(err)
			}
			pictures := 0
			for i, u := range c.Units[:400] {
				s := fmp4.Sample{Data: u.Data, Duration: 9000, Offset: int32(u.PTS - u.DTS), Key: u.Key}
				if u.Track.Video() {
					pictures++
				} else if s.Duration = uint32(fmp4.FrameTicks(u.Track, u.Data)); s.Duration == 0 {
					t.Fatal("a sound without duration")
				}
				out = fmp4.Head(out, uint32(i), fmp4.Run{Track: uint32(u.Track.ID) + 1, Time: uint64(u.DTS + 900000), Samples: []fmp4.Sample{s}})
				out = append(out, u.Data...)
			}
			file := filepath.Join(t.TempDir(), "live.mp4")
			if err := os.WriteFile(file, out, 0o600); err != nil {
				t.Fatal(err)
			}
			said, err := exec.Command("ffprobe", "-v", "error", "-count_frames", "-select_streams", "v", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", file).CombinedOutput()
			if err != nil || strings.TrimSpace(string(said)) != strconv.Itoa(pictures) {
				t.Errorf("ffprobe said %q, %v, want %d pictures", said, err, pictures)
			}
			if errs, err := exec.Command("ffmpeg", "-v", "warning", "-i", file, "-f", "null", "-").CombinedOutput(); err != nil || len(bytes.TrimSpace(errs)) > 0 {
				t.Errorf("ffmpeg: %v %s", err, errs)
			}
		})
	}
}

func TestOnlyBFramesHaveADuration(t *testing.T) {
	for name, want := range map[string]uint32{"people.mp4": 0, "one-by-one-person-detection.mp4": 30 * 24 * 3600} {
		b, err := fmp4.Init(livetest.Load(t, name).Desc.Tracks...)
		if err != nil {
			t.Fatal(err)
		}
		head := b[bytes.Index(b, []byte("mvhd"))+4:] // version and flags, two dates, time scale, duration
		if got := binary.BigEndian.Uint32(head[16:]) / binary.BigEndian.Uint32(head[12:]); got != want {
			t.Errorf("%s: lasts %d s, want %d", name, got, want)
		}
	}
}

func TestOpusDurations(t *testing.T) {
	for name, c := range map[string]struct {
		data []byte
		want int64
	}{
		"empty":               {nil, 0},
		"20 ms CELT":          {[]byte{31 << 3}, 1800},
		"2.5 ms CELT":         {[]byte{16 << 3}, 225},
		"60 ms SILK":          {[]byte{3 << 3}, 5400},
		"two of 10 ms hybrid": {[]byte{12<<3 | 1}, 1800},
		"six of 20 ms":        {[]byte{31<<3 | 3, 6}, 10800},
		"count is missing":    {[]byte{31<<3 | 3}, 0},
	} {
		if got := fmp4.FrameTicks(&media.Track{Codec: media.Opus}, c.data); got != c.want {
			t.Errorf("%s: %d ticks, want %d", name, got, c.want)
		}
	}
}

func TestWhatMP4DoesNotCarry(t *testing.T) {
	if _, err := fmp4.Init(&media.Track{Codec: media.PCMA}); err == nil {
		t.Error("G.711 was taken")
	}
	if _, err := fmp4.Init(&media.Track{Codec: media.H264, SPS: []byte{1, 2, 3}}); err == nil {
		t.Error("a broken parameter set was taken")
	}
	if _, err := fmp4.Init(&media.Track{Codec: media.AAC}); err == nil {
		t.Error("AAC without a configuration was taken")
	}
}

func FuzzInit(f *testing.F) {
	c := livetest.Load(f, "people.mp4")
	f.Add(c.Desc.Tracks[0].SPS, c.Desc.Tracks[0].PPS, []byte{0x11, 0x90})
	f.Fuzz(func(t *testing.T, sps, pps, config []byte) {
		fmp4.Init(&media.Track{Codec: media.H264, SPS: sps, PPS: pps}, &media.Track{Codec: media.AAC, Config: config})
	})
}
