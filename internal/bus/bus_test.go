package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/sqldb"
	"candor/internal/sqldb/sqltest"
)

const heard Type = "test.thing.done"

func open(t testing.TB) *Bus {
	t.Helper()
	b, err := Start(clock.Wall, slog.New(slog.DiscardHandler), []passport.Passport{
		{ID: "test.done", Where: "bus:" + string(heard)}, {ID: "test.other", Where: "bus:test.thing.begun"}, {ID: "test.col", Where: "table.column"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func collect(t *testing.T, b *Bus, tenant id.Tenant, typ Type) <-chan Envelope {
	t.Helper()
	got := make(chan Envelope, 4096)
	sub, err := b.Subscribe(tenant, typ, func(e Envelope) { got <- e })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sub.Close() })
	return got
}

func next(t *testing.T, from <-chan Envelope) Envelope {
	t.Helper()
	select {
	case e := <-from:
		return e
	case <-time.After(20 * time.Second):
		t.Fatal("nothing heard")
		return Envelope{}
	}
}

func TestWhoListensHears(t *testing.T) {
	b := open(t)
	other := id.Make[id.Tenant]()
	mine, all, theirs := collect(t, b, id.DefaultTenant, heard), collect(t, b, Everyone, heard), collect(t, b, other, heard)
	e := b.Say(heard, id.DefaultTenant, id.Make[id.Row]())
	if err := b.Publish(e); err != nil {
		t.Fatal(err)
	}
	installation := b.Say(heard, id.Tenant{}, id.Row{})
	if err := b.Publish(installation); err != nil {
		t.Fatal(err)
	}
	if got := next(t, mine); got.ID != e.ID || got.Resource != e.Resource || got.Type != heard {
		t.Errorf("heard %+v, want %+v", got, e)
	}
	if a, b := next(t, all), next(t, all); a.ID != e.ID || b.ID != installation.ID {
		t.Errorf("Everyone heard %v, %v", a, b)
	}
	if err := b.flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(theirs) != 0 || len(mine) != 0 {
		t.Error("another tenant's listener heard it")
	}
}

func TestSubjectWithoutPassportIsRefused(t *testing.T) {
	b := open(t)
	for _, typ := range []Type{"test.thing.whispered", "", "test.>", "test.*.done", "table.column"} {
		if err := b.Publish(b.Say(typ, id.DefaultTenant, id.Row{})); !errors.Is(err, ErrUnknown) {
			t.Errorf("Publish %q: %v", typ, err)
		}
		if _, err := b.Subscribe(Everyone, typ, func(Envelope) {}); !errors.Is(err, ErrUnknown) {
			t.Errorf("Subscribe %q: %v", typ, err)
		}
	}
	if _, err := Start(clock.Wall, slog.New(slog.DiscardHandler), []passport.Passport{{ID: "x", Where: "bus:everything.>"}}); err == nil {
		t.Error("a passport for a wildcard was taken")
	}
}

// The bus has no door: no socket of this process listens, and nothing reaches the disk.
func TestNobodyOutsideCanConnect(t *testing.T) {
	b := open(t)
	if b.server.Addr() != nil || b.server.JetStreamEnabled() {
		t.Fatalf("listens on %v, JetStream %v", b.server.Addr(), b.server.JetStreamEnabled())
	}
	if runtime.GOOS != "linux" {
		return
	}
	mine := map[string]bool{}
	fds, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || len(fds) == 0 {
		t.Fatal("cannot list this process's files")
	}
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil {
			if inode, ok := strings.CutPrefix(to, "socket:["); ok {
				mine[strings.TrimSuffix(inode, "]")] = true
			}
		}
	}
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		lines, _ := os.ReadFile(table)
		for line := range strings.Lines(string(lines)) {
			f := strings.Fields(line)
			if len(f) > 9 && f[3] == "0A" && mine[f[9]] {
				t.Errorf("a socket listens: %s", line)
			}
		}
	}
}

func outbox(t *testing.T, db *sqldb.DB, b *Bus) *Outbox {
	t.Helper()
	o := &Outbox{DB: db, Bus: b, Clock: clock.Wall, Log: slog.New(slog.DiscardHandler)}
	o.Start()
	t.Cleanup(func() { _ = o.Close() })
	return o
}

func TestOutboxSendsWhatIsCommittedInOrder(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx, b := context.Background(), open(t)
		got, o := collect(t, b, Everyone, heard), outbox(t, db, b)
		undone := errors.New("undone")
		things := []id.Row{id.Make[id.Row](), id.Make[id.Row](), id.Make[id.Row]()}
		want := map[id.Row][]id.Event{}
		done := make(chan error, len(things))
		for _, thing := range things {
			events := make([]id.Event, 30)
			for i := range events {
				events[i] = id.Make[id.Event]()
				if i%5 != 0 {
					want[thing] = append(want[thing], events[i])
				}
			}
			go func() {
				for i, event := range events {
					err := db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
						e := b.Say(heard, id.DefaultTenant, thing)
						e.ID = event
						if err := o.Add(ctx, tx, e); err != nil {
							return err
						}
						if i%5 == 0 {
							return undone
						}
						return nil
					})
					if err != nil && !errors.Is(err, undone) {
						done <- err
						return
					}
				}
				done <- nil
			}()
		}
		for range things {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		last, heardOf := int64(0), map[id.Row][]id.Event{}
		for range 72 {
			e := next(t, got)
			if e.Seq <= last {
				t.Errorf("number %d after %d", e.Seq, last)
			}
			last = e.Seq
			heardOf[e.Resource] = append(heardOf[e.Resource], e.ID)
		}
		if fmt.Sprint(heardOf) != fmt.Sprint(want) {
			t.Errorf("heard %v, want %v", heardOf, want)
		}
		if len(got) != 0 {
			t.Error("something undone was sent")
		}
		missed, complete, err := o.After(ctx, id.DefaultTenant, last-3, 100)
		if err != nil || len(missed) != 3 || !complete || missed[2].Seq != last {
			t.Errorf("After: %v, complete %v, %v", missed, complete, err)
		}
		if missed, _, err := o.After(ctx, id.Make[id.Tenant](), 0, 100); err != nil || len(missed) != 0 {
			t.Errorf("another tenant is told %v, %v", missed, err)
		}
		if _, complete, _ := o.After(ctx, id.DefaultTenant, last+9, 100); complete {
			t.Error("a number from the future counts as complete")
		}
	})
}

// A relay that was stopped between the commit and the sending sends after it starts again.
func TestOutboxSurvivesARestart(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx, b := context.Background(), open(t)
		got := collect(t, b, Everyone, heard)
		first := outbox(t, db, b)
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		e := b.Say(heard, id.DefaultTenant, id.Make[id.Row]())
		if err := db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error { return first.Add(ctx, tx, e) }); err != nil {
			t.Fatal(err)
		}
		if len(got) != 0 {
			t.Fatal("sent without a relay")
		}
		outbox(t, db, b)
		if have := next(t, got); have.ID != e.ID || have.Seq == 0 {
			t.Errorf("heard %+v, want %v", have, e.ID)
		}
		if err := db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
			return first.Add(ctx, tx, b.Say("test.thing.whispered", id.DefaultTenant, id.Row{}))
		}); !errors.Is(err, ErrUnknown) {
			t.Errorf("outbox took a type without a passport: %v", err)
		}
	})
}

func TestPassportsHold(t *testing.T) {
	for _, p := range Passports() {
		if err := p.Check(); err != nil {
			t.Error(err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	e := Envelope{ID: id.Make[id.Event](), Type: heard, Tenant: id.DefaultTenant, Seq: 3, Time: time.Now()}
	good, err := e.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"id":"","type":"a.b.c"}`))
	f.Add(append(good, '1'))
	f.Add([]byte(strings.Replace(string(good), `"seq"`, `"name":"Zoe","seq"`, 1)))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := Decode(b)
		if err != nil {
			return
		}
		again, err := e.Encode()
		if err != nil {
			t.Fatalf("%s decodes to what does not encode: %v", b, err)
		}
		if back, err := Decode(again); err != nil || back != e {
			t.Fatalf("%+v became %+v, %v", e, back, err)
		}
	})
}

func TestDecodeRefuses(t *testing.T) {
	good, _ := Envelope{ID: id.Make[id.Event](), Type: heard, Time: time.Now()}.Encode()
	for name, bad := range map[string]string{
		"a value beside":  strings.Replace(string(good), `"seq"`, `"name":"Zoe","seq"`, 1),
		"something after": string(good) + "{}",
		"no id":           `{"type":"a.b.c","time":"2026-01-01T00:00:00Z"}`,
		"long":            string(good) + strings.Repeat(" ", maxEnvelope),
	} {
		if e, err := Decode([]byte(bad)); err == nil {
			t.Errorf("%s: decoded to %+v", name, e)
		}
	}
}
