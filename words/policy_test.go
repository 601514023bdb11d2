package words

import (
	"testing"

	"candor/internal/policy"
)

// The policy is where data and purposes get their names; the app says the same.
func TestNamesAreThoseOfThePolicy(t *testing.T) {
	p, err := policy.Built()
	if err != nil {
		t.Fatal(err)
	}
	bases := map[string]string{"eu-gdpr:A6-1-a": "consent", "eu-gdpr:A6-1-b": "contract", "eu-gdpr:A6-1-c": "obligation"}
	for _, lang := range Languages() {
		names := p.Names(lang)
		same := func(key, want string) {
			if got := Sentence(lang, key, nil); got != want {
				t.Errorf("%s: %s is %q, the policy says %q", lang, key, got, want)
			}
		}
		for id, named := range names.Categories {
			same("category."+id, named.Name)
		}
		for id, named := range names.Purposes {
			same("purpose."+id, named.Name)
		}
		for id, name := range names.Bases {
			same("basis."+bases[id], name)
		}
	}
}
