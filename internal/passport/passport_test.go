package passport_test

import (
	"testing"

	"candor/internal/passport"
)

func TestCheckRefusesWhatIsNotSaid(t *testing.T) {
	whole := passport.Passport{
		ID: "account.email", Where: "account_account.email", Category: passport.Identity, Purposes: []passport.Purpose{passport.Account},
		Sealed: true, Until: "account closed", Erasure: passport.Shred, Owner: "account_account.id",
	}
	if err := whole.Check(); err != nil {
		t.Fatalf("a whole passport: %v", err)
	}
	for name, spoil := range map[string]func(p *passport.Passport){
		"no id":                           func(p *passport.Passport) { p.ID = "" },
		"no place":                        func(p *passport.Passport) { p.Where = "" },
		"no category":                     func(p *passport.Passport) { p.Category = "" },
		"no purpose":                      func(p *passport.Passport) { p.Purposes = nil },
		"no end":                          func(p *passport.Passport) { p.Until = "" },
		"no erasure":                      func(p *passport.Passport) { p.Erasure = "" },
		"no way to the person":            func(p *passport.Passport) { p.Owner = "" },
		"shredding what is not sealed":    func(p *passport.Passport) { p.Sealed = false },
		"about a person and about nobody": func(p *passport.Passport) { p.Owner = "none" },
	} {
		p := whole
		spoil(&p)
		if p.Check() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
