package brand_test

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"candor/internal/onvif/brand"
	"candor/internal/problem"
	"candor/words"
)

var plain = regexp.MustCompile(`^[a-z]+$`)

func TestTheTableIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, b := range brand.All() {
		if !plain.MatchString(b.ID) || seen[b.ID] || b.Name == "" && b.ID != "generic" {
			t.Errorf("%+v: id or name", b)
		}
		seen[b.ID] = true
		if len(b.Paths) == 0 && !b.Note || len(b.Paths) > 6 {
			t.Errorf("%s has %d paths", b.ID, len(b.Paths))
		}
		for _, lang := range []string{"en", "zh-Hans"} {
			if said := words.Sentence(lang, "brand.note."+b.ID, nil) != ""; said != b.Note {
				t.Errorf("%s: there is a note in %s: %v", b.ID, lang, said)
			}
		}
		for _, s := range b.At("192.0.2.7") {
			if !strings.HasPrefix(s.Main, "rtsp://192.0.2.7") || strings.Contains(s.Main+s.Sub, "%3F") || strings.Contains(s.Main+s.Sub, "@") {
				t.Errorf("%s: %+v", b.ID, s)
			}
		}
	}
	if all := brand.All(); all[len(all)-1].ID != "generic" {
		t.Error("whoever fits nothing else is not last")
	}
}

func TestAddressesAreMadeForTheHost(t *testing.T) {
	b, _ := brand.Of("dahua")
	if s := b.At("192.0.2.7")[0]; s.Main != "rtsp://192.0.2.7/cam/realmonitor?channel=1&subtype=0" || s.Sub != "rtsp://192.0.2.7/cam/realmonitor?channel=1&subtype=1" {
		t.Errorf("%+v", s)
	}
	f, _ := brand.Of("foscam")
	if s := f.At("camera.home.arpa"); s[1].Main != "rtsp://camera.home.arpa:88/videoMain" {
		t.Errorf("%+v", s)
	}
	if s := f.At("192.0.2.7:8554"); s[0].Main != "rtsp://192.0.2.7:8554/videoMain" || s[1].Main != "rtsp://192.0.2.7:8554/videoMain" {
		t.Errorf("%+v", s)
	}
}

func TestMakesGiveThemselvesAway(t *testing.T) {
	for said, want := range map[string]string{
		"HIKVISION DS-2CD2": "hikvision", "Dahua Rtsp Server": "dahua", "TP-Link Tapo C200": "tapo", "IPC Reolink RLC-520A": "reolink",
		"EZVIZ CS-C6N": "ezviz", "AXIS M1065": "axis", "": "generic", "Hipcam RealServer/V1.0": "generic",
	} {
		if got := brand.Guess(said); got.ID != want {
			t.Errorf("%q is taken for %s", said, got.ID)
		}
	}
}

func TestAddressesAreTriedPolitely(t *testing.T) {
	all := []brand.Streams{{Main: "a"}, {Main: "b"}, {Main: "c"}}
	for _, c := range []struct {
		name    string
		answers []string // problem codes, "" for yes
		tried   int
		code    string
	}{
		{"the first", []string{""}, 1, ""},
		{"the second", []string{"camera.not_found", ""}, 2, ""},
		{"a wrong password is tried once", []string{"camera.wrong_password"}, 1, "camera.wrong_password"},
		{"once also behind a wrong path", []string{"camera.not_found", "camera.wrong_password", ""}, 2, "camera.wrong_password"},
		{"nobody there", []string{"camera.refused"}, 1, "camera.refused"},
		{"none of them", []string{"camera.not_found", "camera.not_found", "camera.not_found"}, 3, "camera.no_path"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tried := 0
			got, err := brand.Try(t.Context(), all, func(context.Context, string) error {
				tried++
				if code := c.answers[tried-1]; code != "" {
					return problem.Invalid(code)
				}
				return nil
			})
			if tried != c.tried || c.code != "" && !problem.Is(err, c.code) || c.code == "" && (err != nil || got != all[tried-1]) {
				t.Errorf("%d tries, %+v, %v", tried, got, err)
			}
		})
	}
	if _, err := brand.Try(t.Context(), nil, nil); !problem.Is(err, "camera.no_path") {
		t.Errorf("nothing to try: %v", err)
	}
}
