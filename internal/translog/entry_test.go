package translog

import (
	"crypto/rand"
	"encoding/json"
	"testing"

	"candor/internal/id"
	"candor/internal/permit"
)

// TestDetailsOfBeforeStillOpen: what was written without policy, share and consent is what was
// committed to, and what a later build wrote is refused.
func TestDetailsOfBeforeStillOpen(t *testing.T) {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	b, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	was := []byte(`{"key":` + string(b) + `,"at":1935846609000,"account":"0195e2a0-0000-7000-8000-000000000001","session":"0195e2a0-0000-7000-8000-000000000002","action":"camera.watch","binding":"0195e2a0-0000-7000-8000-000000000003","purpose":"live","client":"Chrome on Android"}`)
	old := details{Key: key}
	got, err := decode(was, old.commit(was))
	if err != nil || got.V != 0 || got.Action != "camera.watch" || got.Policy != "" {
		t.Errorf("%+v, %v", got, err)
	}
	share, record := id.Make[id.Share](), id.Make[id.Consent]()
	now := detailsOf(Access{Action: permit.FootageRead, Policy: "hash", Share: share, Consent: record})
	plain, commitment, err := now.encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := decode(plain, commitment)
	if a := again.access(id.Tenant{}, id.Subject{}); err != nil || a.Policy != "hash" || a.Share != share || a.Consent != record {
		t.Errorf("%+v, %v", a, err)
	}
	now.V = version + 1
	if plain, commitment, err = now.encode(); err != nil {
		t.Fatal(err)
	}
	if _, err := decode(plain, commitment); err == nil {
		t.Error("details of a later build were read")
	}
}
