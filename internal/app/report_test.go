package app

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"candor/internal/democam"
	"candor/internal/media"
	"candor/words"
)

// TestReportsOfAConnection are kept from the yes to the withdrawal, and not before or after.
func TestReportsOfAConnection(t *testing.T) {
	w, _ := share(t)
	p := w.join(t, identity{"Uwe Ulme", "uwe@house.example", "a velvet ferry 85"})
	cam := startDevice(t, &democam.Server{Main: clip("people.mp4")})
	c := p.add(map[string]any{"name": "Door", "address": cam.URL(media.Main), "username": cam.Username, "password": cam.Password})
	p.live(c.ID)
	p.refused("GET", "/cameras/"+c.ID+"/reports", nil, http.StatusForbidden, "consent.needed")
	hash := ""
	var all []struct{ ID, Hash string }
	p.call("GET", "/purposes", nil, &all)
	for _, one := range all {
		if one.ID == "diagnostics" {
			hash = one.Hash
		}
	}
	say := func(state string) *receipt {
		t.Helper()
		var out struct{ Receipt *receipt }
		p.call("PUT", "/consents/diagnostics", map[string]any{"state": state, "text_hash": hash}, &out)
		return out.Receipt
	}
	say("given")
	var reports []struct {
		At             time.Time
		Reached        bool
		Code, Sentence string
	}
	eventually(t, "a report of now", func() bool {
		p.call("GET", "/cameras/"+c.ID+"/reports", nil, &reports)
		return len(reports) == 1 && reports[0].Reached
	})
	p.call("PATCH", "/cameras/"+c.ID, map[string]any{"address": "rtsp://127.0.0.1:1/nothing"}, nil)
	eventually(t, "a report of why not", func() bool {
		p.call("GET", "/cameras/"+c.ID+"/reports", nil, &reports)
		return len(reports) > 1 && !reports[0].Reached && reports[0].Sentence != ""
	})
	if r := say("withdrawn"); r == nil || r.What != "purpose" || r.KeysDestroyed == 0 {
		t.Errorf("the receipt: %+v", r)
	}
	p.refused("GET", "/cameras/"+c.ID+"/reports", nil, http.StatusForbidden, "consent.needed")
	var left int
	if err := w.db.Read.NewRaw("SELECT count(*) FROM report_state").Scan(t.Context(), &left); err != nil || left != 0 {
		t.Errorf("%d reports are left, %v", left, err)
	}
}

// TestEveryKindThatIsHeldHasWords: the inventory is read by people, in each language.
func TestEveryKindThatIsHeldHasWords(t *testing.T) {
	kinds := map[string]bool{}
	for path, f := range sources(t) {
		if !strings.HasSuffix(path, "holder.go") {
			continue
		}
		for _, kind := range heldKinds(f) {
			kinds[kind] = true
		}
	}
	if len(kinds) < 8 {
		t.Fatalf("only %d kinds were found: %v", len(kinds), kinds)
	}
	for kind := range kinds {
		if key := "held.kind." + strings.ReplaceAll(kind, " ", "_"); !words.Has(key) {
			t.Errorf("no words for %q (%s)", kind, key)
		}
	}
}
