package httpapi_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/permit"
	catalogue "candor/words"
)

func TestHomeSaysTheWorstFirst(t *testing.T) {
	good := httpapi.CameraHealth{Name: "Hall", Phase: "live", Wanted: true, Recording: true, KeptDays: 23, KeepsDays: 30}
	with := func(c httpapi.CameraHealth, f func(*httpapi.CameraHealth)) httpapi.CameraHealth { f(&c); return c }
	fresh := with(good, func(c *httpapi.CameraHealth) { c.KeptDays = 0 })
	unwanted := with(good, func(c *httpapi.CameraHealth) { c.Wanted, c.Recording = false, false })
	away := with(good, func(c *httpapi.CameraHealth) {
		c.Name, c.Phase, c.Recording, c.Code = "Attic", "waiting", false, "camera.stalled"
	})
	full := with(good, func(c *httpapi.CameraHealth) { c.Name, c.Recording, c.Trouble = "Yard", false, "disk_full" })
	starting := with(good, func(c *httpapi.CameraHealth) { c.Recording = false })
	connecting := with(starting, func(c *httpapi.CameraHealth) { c.Phase = "connecting" })
	broken := with(good, func(c *httpapi.CameraHealth) { c.Name, c.Gaps, c.GapSeconds = "Gate", 2, 700 })
	for _, c := range []struct {
		name         string
		cameras      []httpapi.CameraHealth
		tone, en, zh string
		first        string
	}{
		{"none", nil, "plain", "No cameras yet", "还没有摄像头", ""},
		{"all is well", []httpapi.CameraHealth{good, good}, "ok", "All 2 cameras recording · 23 days kept", "2 个摄像头全部正在录像 · 保留 23 天", "Hall"},
		{"one, new", []httpapi.CameraHealth{fresh}, "ok", "1 camera recording · up to 30 days are kept", "1 个摄像头正在录像 · 最多保留 30 天", "Hall"},
		{"not asked for", []httpapi.CameraHealth{good, unwanted}, "ok", "All 2 cameras live, 1 recording", "", "Hall"},
		{"one is away", []httpapi.CameraHealth{good, away}, "warn", "1 of 2 not recording: Attic", "2 个中有 1 个没有录像：Attic", "Attic"},
		{"two are not recorded", []httpapi.CameraHealth{good, full, away}, "warn", "2 of 3 not recording: Yard, Attic", "3 个中有 2 个没有录像：Yard、Attic", "Yard"},
		{"all are away", []httpapi.CameraHealth{away}, "alert", "The camera is offline", "", "Attic"},
		{"begins to record", []httpapi.CameraHealth{good, starting}, "ok", "All 2 cameras live, 1 recording", "", "Hall"},
		{"connects", []httpapi.CameraHealth{good, connecting}, "plain", "1 camera is connecting", "", "Hall"},
		{"has gaps", []httpapi.CameraHealth{good, broken}, "ok", "All 2 cameras recording · 23 days kept", "", "Gate"},
		{"shared with me", []httpapi.CameraHealth{with(fresh, func(c *httpapi.CameraHealth) { c.Shared, c.KeepsDays = true, 0 })}, "ok", "1 camera recording", "1 个摄像头正在录像", "Hall"},
		{"one of mine, one shared", []httpapi.CameraHealth{good, with(fresh, func(c *httpapi.CameraHealth) { c.Shared, c.KeepsDays = true, 0 })}, "ok", "All 2 cameras recording · 23 days kept", "", "Hall"},
		{"many", []httpapi.CameraHealth{away, away, away, away, good}, "warn", "4 of 5 not recording: Attic, Attic, Attic, …", "", "Attic"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, func(d *httpapi.Deps) {
				d.Words = catalogue.Sentence
				d.Cameras = well{cameras{}, c.cameras}
			})
			for lang, want := range map[string]string{"en": c.en, "zh-Hans": c.zh} {
				as := &w.anna
				if lang != "en" {
					as = &w.ben
				}
				rec := w.do(request{as: as, method: "GET", path: "/api/v1/health"})
				w.want(rec, http.StatusOK, "")
				var h httpapi.Health
				if err := json.Unmarshal(rec.Body.Bytes(), &h); err != nil {
					t.Fatal(err)
				}
				if want != "" && h.Sentence != want || h.Tone != c.tone || strings.Contains(h.Sentence+h.Gaps, "{") {
					t.Errorf("it says %q (%s), want %q (%s)", h.Sentence, h.Tone, want, c.tone)
				}
				if len(h.Cameras) > 0 && h.Cameras[0].Name != c.first {
					t.Errorf("%s comes first", h.Cameras[0].Name)
				}
				for _, one := range h.Cameras {
					if told := one.Sentence != ""; told != (one.Name == "Attic" || one.Name == "Yard") {
						t.Errorf("%s: %q", one.Name, one.Sentence)
					}
				}
				if lang == "en" && (h.Gaps == "2 gaps in the last 24 hours, 12 minutes in all") != (c.name == "has gaps") {
					t.Errorf("of gaps it says %q", h.Gaps)
				}
			}
		})
	}
}

// well is a person whose cameras do so.
type well struct {
	cameras
	all []httpapi.CameraHealth
}

func (w well) Health(context.Context, permit.Permit, id.Account) ([]httpapi.CameraHealth, error) {
	return append([]httpapi.CameraHealth(nil), w.all...), nil
}
