package app

import (
	"slices"
	"strings"
	"testing"

	"candor/internal/democam"
)

type health struct {
	Tone, Sentence   string
	Total, Recording int
	Offline          int
	Cameras          []wellbeing
}

type wellbeing struct {
	ID        string `json:"camera_id"`
	Name      string
	Phase     string
	Recording bool
	Code      string
	Sentence  string
	Away      string `json:"away_since"`
}

func (p *person) health() (h health) {
	p.t.Helper()
	p.call("GET", "/health", nil, &h)
	return h
}

// What Home says follows what happens: recorded, gone, back, paused.
func TestHealthSaysWhatIsTrue(t *testing.T) {
	w, _ := share(t)
	p := w.join(t, identity{"Keeper", "keeper@house.example", "a green kettle 21"})
	if h := p.health(); h.Total != 0 || h.Tone != "plain" {
		t.Errorf("without cameras: %+v", h)
	}
	hall := startDevice(t, &democam.Server{Main: clip("people.mp4")})
	attic := &democam.Server{Main: clip("people.mp4")}
	if err := attic.Start(); err != nil {
		t.Fatal(err)
	}
	hallID := p.addRecorded(hall, "Hall")
	atticID := p.addRecorded(attic, "Attic")
	var h health
	eventually(t, "both are recorded", func() bool {
		h = p.health()
		return h.Recording == 2 && h.Offline == 0 && h.Tone == "ok" && strings.HasPrefix(h.Sentence, "All 2 cameras recording")
	})
	attic.Close()
	eventually(t, "one is gone, and why is known", func() bool {
		h = p.health()
		return h.Offline == 1 && h.Cameras[0].Phase == "waiting" && h.Cameras[0].Code == "camera.refused"
	})
	if h.Tone != "warn" || h.Sentence != "1 of 2 not recording: Attic" || h.Cameras[0].ID != atticID || h.Cameras[0].Away == "" || h.Cameras[0].Sentence == "" || h.Cameras[0].Recording {
		t.Errorf("with one gone: %+v", h)
	}
	away := h.Cameras[0].Away
	since := func() string {
		var cam struct{ State struct{ Since string } }
		p.call("GET", "/cameras/"+atticID, nil, &cam)
		return cam.State.Since
	}
	tried := since()
	eventually(t, "it is tried again", func() bool { return since() != tried })
	h = p.health()
	if i := slices.IndexFunc(h.Cameras, func(c wellbeing) bool { return c.ID == atticID && c.Away == away }); i < 0 {
		t.Error("since when it is away changes with each attempt")
	}
	p.call("PATCH", "/cameras/"+hallID, map[string]any{"recording_mode": "paused"}, nil)
	eventually(t, "a pause is no trouble", func() bool {
		h := p.health()
		return h.Recording == 0 && h.Sentence == "1 of 2 not recording: Attic"
	})
	p.call("DELETE", "/account", map[string]any{"password": "a green kettle 21"}, nil)
}
