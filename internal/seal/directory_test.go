package seal_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"candor/internal/id"
	"candor/internal/seal"
)

func account() id.Account { return id.Account(id.New[struct{}]()) }

func (b *bench) expect(tenant id.Tenant, email string, want id.Account) {
	b.t.Helper()
	got, ok, err := b.Account(ctx, tenant, email)
	if err != nil || got != want || ok == want.IsZero() {
		b.t.Errorf("%s leads to %v, %v, %v; want %v", email, got, ok, err, want)
	}
}

func (b *bench) put(email string, a id.Account) {
	b.t.Helper()
	if err := b.PutAccount(ctx, id.DefaultTenant, email, a); err != nil {
		b.t.Fatal(err)
	}
}

func TestDirectoryLeadsFromAddressToAccount(t *testing.T) {
	b := newBench(t)
	ada, none := account(), id.Account{}
	b.put("Ada@Example.org", ada)
	b.put("ada@example.org", ada) // the same again
	for _, email := range []string{"ada@example.org", " ADA@EXAMPLE.ORG ", "ａda@example.org"} {
		b.expect(id.DefaultTenant, email, ada)
	}
	b.expect(id.DefaultTenant, "bob@example.org", none)
	b.expect(id.Tenant(account()), "ada@example.org", none)
	if err := b.PutAccount(ctx, id.DefaultTenant, "ada@example.org", account()); !errors.Is(err, seal.ErrTaken) {
		t.Errorf("somebody else's address: %v", err)
	}
	if err := b.PutAccount(ctx, id.Tenant(account()), "ada@example.org", account()); err != nil {
		t.Errorf("the same address at another tenant: %v", err)
	}
	b.put("ada@work.example", ada)
	b.expect(id.DefaultTenant, "ada@example.org", none)
	b.reopen()
	b.expect(id.DefaultTenant, "ada@work.example", ada)
	if bytes.Contains(bytes.ToLower(b.files()), []byte("example")) {
		t.Error("an address is in the key folder")
	}
}

func TestDirectoryForgets(t *testing.T) {
	b := newBench(t)
	var people []id.Account
	for i := range 300 {
		people = append(people, account())
		b.put(fmt.Sprintf("person%d@example.org", i), people[i])
	}
	before := b.files()
	for i, a := range people[:200] {
		if !bytes.Contains(before, a[:]) {
			t.Fatal("a live entry is not where the hunt would find it")
		}
		if i%2 == 0 {
			b.destroy(seal.Everything(id.DefaultTenant, id.SubjectOf(a)), seal.Closed)
			if err := b.PutAccount(ctx, id.DefaultTenant, "again@example.org", a); !errors.Is(err, seal.ErrGone) {
				t.Fatalf("a closed account came back: %v", err)
			}
		} else if err := b.DropAccount(ctx, id.DefaultTenant, a); err != nil {
			t.Fatal(err)
		}
	}
	after := b.files()
	for i, a := range people[:200] {
		b.expect(id.DefaultTenant, fmt.Sprintf("person%d@example.org", i), id.Account{})
		if i%2 == 1 && bytes.Contains(after, a[:]) {
			t.Errorf("dropped account %d is still in a file", i)
		}
	}
	for i, a := range people[200:] {
		b.expect(id.DefaultTenant, fmt.Sprintf("person%d@example.org", 200+i), a)
	}
	pages, err := b.Query1("SELECT count(*) FROM directory")
	if err != nil {
		t.Fatal(err)
	}
	b.put("new@example.org", account())
	if now, err := b.Query1("SELECT count(*) FROM directory"); err != nil || now != pages {
		t.Errorf("a freed place was not used again: %d → %d, %v", pages, now, err)
	}
}
