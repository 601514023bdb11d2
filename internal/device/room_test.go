package device

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/policy"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/rights"
	"candor/internal/seal"
	"candor/internal/sqldb"
	"candor/internal/sqldb/sqltest"
	source "candor/policy"
)

func ptr[T any](v T) *T { return &v }

func TestACameraIsAddedReadAndChanged(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r, ctx := open(t, db), context.Background()
		zoe := r.person()
		added := r.hears(Added)
		door := r.door(zoe)
		yard := r.add(zoe, New{Name: " Yard ", Main: "RTSPS://Cam.LAN/", Credentials: Credentials{"u", "p"}, Retention: Retention{7, 1 << 30}, Demo: true})
		if door.Name != "Front door" || door.Sub != "rtsp://10.1.2.3:554/sub" || door.Recording != On || door.Retention != (Retention{30, 1 << 30}) || door.CreatedAt != clock.At(r.clock.Now()) || door.Device.IsZero() {
			t.Errorf("camera %+v", door)
		}
		if yard.Name != "Yard" || yard.Main != "rtsps://cam.lan/" || !yard.Demo || yard.Sub != "" {
			t.Errorf("camera %+v", yard)
		}
		all, err := r.List(ctx, r.permit(zoe, permit.CameraList, id.Binding{}), id.DefaultTenant, zoe)
		if err != nil || !slices.Equal(all, []Camera{door, yard}) {
			t.Errorf("list %+v, %v", all, err)
		}
		if refs, err := r.All(ctx); err != nil || !slices.Equal(refs, []Ref{door.Ref, yard.Ref}) {
			t.Errorf("all %+v, %v", refs, err)
		}
		spec, err := r.Spec(ctx, r.permit(zoe, permit.CameraPull, door.Binding), id.DefaultTenant, door.Binding)
		want := Spec{id.DefaultTenant, door.Binding, door.Device, "rtsp://10.1.2.3:554/main?pwd=in-url", "rtsp://10.1.2.3:554/sub", Credentials{"viewer", "s3cr3t-heron"}}
		if err != nil || spec != want {
			t.Errorf("spec %+v, %v", spec, err)
		}
		eventually(t, "the bus tells", func() bool {
			return slices.Equal(added(), []id.Row{id.RowOf(door.Binding), id.RowOf(yard.Binding)})
		})
		p := r.permit(zoe, permit.CameraChange, door.Binding)
		changed, err := r.Change(ctx, p, id.DefaultTenant, door.Binding, Change{Name: ptr("Back door"), Recording: ptr(Paused), Retention: &Retention{365, 0}})
		if err != nil || changed.Name != "Back door" || changed.Recording != Paused || changed.Retention.Days != 365 || changed.Main != door.Main {
			t.Errorf("changed %+v, %v", changed, err)
		}
		if got, err := r.Get(ctx, r.permit(zoe, permit.CameraRead, door.Binding), id.DefaultTenant, door.Binding); err != nil || got != changed {
			t.Errorf("reads back %+v, %v", got, err)
		}
		if l, err := r.ZoneOf(ctx, r.permit(zoe, permit.FootageRead, door.Binding), id.DefaultTenant, door.Binding); err != nil || l.String() != "Europe/Berlin" {
			t.Errorf("zone %v, %v", l, err)
		}
	})
}

// The password leaves by Spec only, and goes to no host it was not given for.
func TestPasswordsStayWhereTheyBelong(t *testing.T) {
	promise.Proves(t, "P020")
	r, ctx := open(t, sqltest.SQLite(t)), context.Background()
	zoe := r.person()
	door := r.door(zoe)
	p := r.permit(zoe, permit.CameraChange, door.Binding)
	change := func(c Change) Camera {
		t.Helper()
		got, err := r.Change(ctx, p, id.DefaultTenant, door.Binding, c)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	spec := func() Spec {
		t.Helper()
		s, err := r.Spec(ctx, r.permit(zoe, permit.CameraPull, door.Binding), id.DefaultTenant, door.Binding)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, c := range []Camera{door, change(Change{Name: ptr("x")})} {
		if s := fmt.Sprintf("%+v", c); strings.Contains(s, "s3cr3t-heron") || strings.Contains(s, "in-url") || strings.Contains(s, "viewer") {
			t.Errorf("a camera shows a secret: %s", s)
		}
	}
	// What is shown, sent back as it is, changes nothing.
	change(Change{Main: &door.Main, Sub: &door.Sub})
	if s := spec(); s.Main != "rtsp://10.1.2.3:554/main?pwd=in-url" || s.Credentials.Password != "s3cr3t-heron" {
		t.Errorf("spec %+v", s)
	}
	change(Change{Main: ptr("rtsp://10.1.2.3:554/other"), Sub: ptr("")})
	if s := spec(); s.Main != "rtsp://10.1.2.3:554/other" || s.Sub != "" || s.Credentials.Password != "s3cr3t-heron" {
		t.Errorf("another path on the same host: %+v", s)
	}
	change(Change{Main: ptr("rtsp://10.9.9.9:554/other")})
	if s := spec(); s.Credentials != (Credentials{}) {
		t.Errorf("another host gets the old password: %+v", s)
	}
	change(Change{Main: ptr("rtsp://u2:p2@10.9.9.9:554/other")})
	if s := spec(); s.Credentials != (Credentials{"u2", "p2"}) || strings.Contains(s.Main, "u2") {
		t.Errorf("typed into the address: %+v", s)
	}
	change(Change{Credentials: &Credentials{"u3", "p3"}, Sub: ptr("rtsp://10.8.8.8/sub")})
	if s := spec(); s.Credentials != (Credentials{"u3", "p3"}) {
		t.Errorf("given anew with another host: %+v", s)
	}
	for _, action := range []permit.Action{permit.CameraRead, permit.CameraChange, permit.CameraWatch, permit.FootageRead, permit.CameraRecord} {
		if s, err := r.Spec(ctx, r.permit(zoe, action, door.Binding), id.DefaultTenant, door.Binding); !errors.Is(err, seal.ErrClosed) || s != (Spec{}) {
			t.Errorf("%s opens the password: %v", action, err)
		}
	}
	if s, err := r.Spec(ctx, permit.Permit{}, id.DefaultTenant, door.Binding); !errors.Is(err, seal.ErrClosed) || s != (Spec{}) {
		t.Errorf("without a permit: %v", err)
	}
}

func TestOthersCamerasAreNotThere(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r, ctx := open(t, db), context.Background()
		zoe, mallory := r.person(), r.person()
		door, theirs := r.door(zoe), r.door(mallory)
		p := r.permit(mallory, permit.CameraChange, theirs.Binding)
		if c, err := r.Get(ctx, p, id.DefaultTenant, door.Binding); err == nil || c != (Camera{}) {
			t.Errorf("reads %+v", c)
		}
		if _, err := r.Change(ctx, p, id.DefaultTenant, door.Binding, Change{Recording: ptr(Paused)}); !problem.Is(err, "not_found") {
			t.Errorf("changes: %v", err)
		}
		if _, err := r.Change(ctx, r.permit(zoe, permit.CameraRead, door.Binding), id.DefaultTenant, door.Binding, Change{Recording: ptr(Paused)}); !problem.Is(err, "not_found") {
			t.Errorf("a permit to read changes: %v", err)
		}
		if _, err := r.Add(ctx, r.permit(mallory, permit.CameraAdd, id.Binding{}), id.DefaultTenant, zoe, New{Name: "Trap", Main: "rtsp://h/"}); !problem.Is(err, "not_found") {
			t.Errorf("adds to another's account: %v", err)
		}
		if _, err := r.Add(ctx, r.permit(mallory, permit.CameraAdd, id.Binding{}), id.DefaultTenant, mallory, New{Name: "Trap", Main: "rtsp://h/", Site: door.Site}); !problem.Is(err, "site.unknown") {
			t.Errorf("puts it at another's place: %v", err)
		}
		if _, err := r.ChangeSite(ctx, id.DefaultTenant, mallory, door.Site, "Mine", "UTC"); !problem.Is(err, "not_found") {
			t.Errorf("renames another's place: %v", err)
		}
		for _, tn := range []id.Tenant{id.Make[id.Tenant](), {}} {
			if _, err := r.Get(ctx, r.permit(zoe, permit.CameraRead, door.Binding), tn, door.Binding); !problem.Is(err, "not_found") {
				t.Errorf("in another tenant: %v", err)
			}
			if o, err := r.Owner(ctx, tn, door.Binding); !o.IsZero() || err != nil {
				t.Errorf("owner in another tenant: %v, %v", o, err)
			}
		}
		if all, err := r.List(ctx, r.permit(mallory, permit.CameraList, id.Binding{}), id.DefaultTenant, zoe); !errors.Is(err, seal.ErrClosed) || all != nil {
			t.Errorf("lists %v, %v", all, err)
		}
		if got, err := r.Get(ctx, r.permit(zoe, permit.CameraRead, door.Binding), id.DefaultTenant, door.Binding); err != nil || got.Recording != On {
			t.Errorf("something changed: %+v, %v", got, err)
		}
	})
}

// Everything about a camera needs its being bound: before there is nothing, and from the moment it
// is released nothing is permitted, what was open has ended, and in the end no row ties it to anybody.
func TestUnboundCamerasGiveNothing(t *testing.T) {
	promise.Proves(t, "P019", "P026")
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r, ctx := open(t, db), context.Background()
		zoe := r.person()
		stays := r.door(zoe)
		about := []permit.Action{permit.CameraRead, permit.CameraChange, permit.CameraWatch, permit.CameraStill, permit.CameraPull, permit.CameraRecord, permit.FootageRead}
		denied := func(b id.Binding, when string) {
			t.Helper()
			for _, action := range about {
				if p, err := r.gate.Permit(ctx, r.request(zoe, action, b)); !problem.Is(err, "not_found") || p != (permit.Permit{}) {
					t.Errorf("%s, %s: %v", when, action, err)
				}
				if l, err := r.gate.Lease(ctx, r.request(zoe, action, b)); !problem.Is(err, "not_found") || l != nil {
					t.Errorf("%s, lease %s: %v", when, action, err)
				}
			}
		}
		denied(id.Make[id.Binding](), "never bound")
		door := r.door(zoe)
		for _, action := range about {
			r.permit(zoe, action, door.Binding)
		}
		removed := r.hears(Removed)
		for range 2 {
			if err := r.Release(ctx, id.DefaultTenant, door.Binding); err != nil {
				t.Fatal(err)
			}
		}
		denied(door.Binding, "released")
		if _, err := r.Ref(ctx, id.DefaultTenant, door.Binding); !problem.Is(err, "not_found") {
			t.Errorf("still there: %v", err)
		}
		if refs, err := r.Of(ctx, id.DefaultTenant, zoe); err != nil || !slices.Equal(refs, []Ref{stays.Ref}) {
			t.Errorf("cameras %v, %v", refs, err)
		}
		eventually(t, "the bus tells once", func() bool { return slices.Equal(removed(), []id.Row{id.RowOf(door.Binding)}) })

		w := rights.Whose{Tenant: id.DefaultTenant, Subject: id.SubjectOf(zoe), Binding: door.Binding}
		if _, err := r.keeper.Destroy(ctx, seal.Selection{Tenant: w.Tenant, Subject: w.Subject, Binding: w.Binding}, "test"); err != nil {
			t.Fatal(err)
		}
		h := Holder{r.Room}
		if left, err := h.Leaving(ctx); err != nil || !slices.Equal(left, []rights.Whose{w}) {
			t.Errorf("leaving %+v, %v", left, err)
		}
		if found, err := h.Scan(ctx, w); err != nil || found[0].Found != 1 {
			t.Errorf("scan before the sweep %+v, %v", found, err)
		}
		if s, err := h.Erase(ctx, w); err != nil || s.Rows != 1 {
			t.Errorf("erase %+v, %v", s, err)
		}
		if found, err := h.Scan(ctx, w); err != nil || len(found) != 1 || found[0].Found != 0 || found[0].Looked != 1 {
			t.Errorf("scan %+v, %v", found, err)
		}
		if _, err := r.Get(ctx, r.permit(zoe, permit.CameraRead, stays.Binding), id.DefaultTenant, stays.Binding); err != nil {
			t.Errorf("the other camera: %v", err)
		}
	})
}

func TestWhatIsNoCameraIsRefused(t *testing.T) {
	r, ctx := open(t, sqltest.SQLite(t)), context.Background()
	zoe := r.person()
	p := r.permit(zoe, permit.CameraAdd, id.Binding{})
	good := New{Name: "Door", Main: "rtsp://10.1.2.3/main"}
	for name, c := range map[string]struct {
		change func(*New)
		code   string
	}{
		"no name":             {func(n *New) { n.Name = " \t" }, "camera.name"},
		"long name":           {func(n *New) { n.Name = strings.Repeat("门", maxName+1) }, "camera.name"},
		"control in name":     {func(n *New) { n.Name = "Door\x1b[31m" }, "camera.name"},
		"no address":          {func(n *New) { n.Main = "" }, "camera.address"},
		"web page":            {func(n *New) { n.Main = "http://10.1.2.3/" }, "camera.address"},
		"file":                {func(n *New) { n.Main = "file:///etc/passwd" }, "camera.address"},
		"no host":             {func(n *New) { n.Main = "rtsp:///main" }, "camera.address"},
		"port out of range":   {func(n *New) { n.Main = "rtsp://h:70000/" }, "camera.address"},
		"bad second address":  {func(n *New) { n.Sub = "rtsp://" }, "camera.address"},
		"new line":            {func(n *New) { n.Main = "rtsp://h/\r\nX: y" }, "camera.address"},
		"endless address":     {func(n *New) { n.Main = "rtsp://h/" + strings.Repeat("a", maxAddress) }, "camera.address"},
		"control in password": {func(n *New) { n.Password = "a\nb" }, "camera.credentials"},
		"no days":             {func(n *New) { n.Retention = Retention{0, 1 << 30} }, "camera.retention"},
		"too many days":       {func(n *New) { n.Retention = Retention{366, 0} }, "camera.retention"},
		"a handful of bytes":  {func(n *New) { n.Retention = Retention{1, 4096} }, "camera.retention"},
		"unknown site":        {func(n *New) { n.Site = id.Make[id.Site]() }, "site.unknown"},
	} {
		n := good
		c.change(&n)
		if got, err := r.Add(ctx, p, id.DefaultTenant, zoe, n); !problem.Is(err, c.code) || got != (Camera{}) {
			t.Errorf("%s: %+v, %v, want %s", name, got, err, c.code)
		}
	}
	nowhere := id.Make[id.Account]()
	if _, err := r.Add(ctx, r.permit(nowhere, permit.CameraAdd, id.Binding{}), id.DefaultTenant, nowhere, good); !problem.Is(err, "site.unknown") {
		t.Errorf("without a place: %v", err)
	}
	if _, err := r.AddSite(ctx, id.DefaultTenant, zoe, "Home", "Local"); !problem.Is(err, "time_zone.unknown") {
		t.Errorf("time zone Local: %v", err)
	}
	door := r.add(zoe, good)
	if _, err := r.Change(ctx, r.permit(zoe, permit.CameraChange, door.Binding), id.DefaultTenant, door.Binding, Change{Recording: ptr(Mode("off"))}); !problem.Is(err, "camera.recording") {
		t.Errorf("recording off: %v", err)
	}
	if refs, err := r.All(ctx); err != nil || len(refs) != 1 {
		t.Errorf("%d cameras, %v", len(refs), err)
	}
}

func TestAnAccountHasSoManyCameras(t *testing.T) {
	r, ctx := open(t, sqltest.SQLite(t)), context.Background()
	zoe := r.person()
	p := r.permit(zoe, permit.CameraAdd, id.Binding{})
	for i := range MaxCameras {
		if _, err := r.Add(ctx, p, id.DefaultTenant, zoe, New{Name: fmt.Sprint(i), Main: "rtsp://h/"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Add(ctx, p, id.DefaultTenant, zoe, New{Name: "one more", Main: "rtsp://h/"}); !problem.Is(err, "camera.too_many") {
		t.Errorf("one more: %v", err)
	}
	all, err := r.List(ctx, r.permit(zoe, permit.CameraList, id.Binding{}), id.DefaultTenant, zoe)
	if err != nil || len(all) != MaxCameras {
		t.Fatalf("%d cameras, %v", len(all), err)
	}
	other := r.person()
	r.door(other)
}

func TestFilesHoldNoCameraInClear(t *testing.T) {
	r, ctx := open(t, sqltest.SQLite(t)), context.Background()
	zoe := r.person()
	r.door(zoe)
	var file string
	if err := r.DB.Read.NewRaw("SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(ctx, &file); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, file + "-wal"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, canary := range []string{"Front door", "10.1.2.3", "s3cr3t-heron", "viewer", "Elm Street", "Europe/Berlin"} {
			if bytes.Contains(b, []byte(canary)) {
				t.Errorf("%s holds %q", filepath.Base(name), canary)
			}
		}
	}
}

func TestHolderAnswersForCameras(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r, ctx := open(t, db), context.Background()
		zoe, stays := r.person(), r.person()
		door := r.door(zoe)
		r.add(zoe, New{Name: "Yard", Main: "rtsp://10.1.2.4/"})
		r.door(stays)
		h, w := Holder{r.Room}, rights.Whose{Tenant: id.DefaultTenant, Subject: id.SubjectOf(zoe)}
		held, err := h.Count(ctx, permit.Permit{}, w)
		if err != nil || len(held) != 3 || held[0].Count != 2 || held[2].Kind != "site" {
			t.Errorf("count %+v, %v", held, err)
		}
		export := func(w rights.Whose) string {
			var out bytes.Buffer
			if err := h.Export(ctx, r.permit(zoe, permit.PrivacyExport, id.Binding{}), w, &out); err != nil {
				t.Fatal(err)
			}
			return out.String()
		}
		all := export(w)
		for _, v := range []string{"Front door", "Yard", "Elm Street", "rtsp://10.1.2.3:554/main"} {
			if !strings.Contains(all, v) {
				t.Errorf("export lacks %q: %s", v, all)
			}
		}
		for _, v := range []string{"s3cr3t-heron", "viewer", "in-url"} {
			if strings.Contains(all, v) {
				t.Errorf("export holds %q", v)
			}
		}
		one := w
		one.Binding = door.Binding
		if got := export(one); !strings.Contains(got, "Front door") || strings.Contains(got, "Yard") || strings.Contains(got, "Elm Street") {
			t.Errorf("export of one camera: %s", got)
		}
		if s, err := h.Erase(ctx, rights.Whose{Tenant: w.Tenant, Subject: w.Subject, Binding: door.Binding, Purpose: "recording"}); err != nil || s.Rows != 0 {
			t.Errorf("withdrawing recording erased %+v, %v", s, err)
		}
		if s, err := h.Erase(ctx, w); err != nil || s.Rows != 3 {
			t.Errorf("erase %+v, %v", s, err)
		}
		found, err := h.Scan(ctx, w)
		if err != nil || len(found) != 2 || found[0].Found+found[1].Found != 0 || found[0].Looked != 1 || found[1].Looked != 1 {
			t.Errorf("scan %+v, %v", found, err)
		}
	})
}

func TestPassportsFitThePolicy(t *testing.T) {
	pol, err := policy.Load(source.Files)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range Passports() {
		if err := pol.Judge(p); err != nil {
			t.Error(err)
		}
	}
}
