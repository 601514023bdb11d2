package words

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestLanguagesAreComplete(t *testing.T) {
	if got := Languages(); !slices.Equal(got, []string{"en", "zh-Hans"}) {
		t.Fatalf("languages are %v", got)
	}
	for _, lang := range Languages() {
		for _, key := range Keys() {
			s, ok := catalogue[lang][key]
			if !ok || strings.TrimSpace(s) == "" {
				t.Errorf("%s lacks %s", lang, key)
			}
			if want, got := arguments(catalogue[Fallback][key]), arguments(s); !slices.Equal(want, got) {
				t.Errorf("%s: %s has arguments %v, wants %v", lang, key, got, want)
			}
		}
		for key := range catalogue[lang] {
			if !Has(key) {
				t.Errorf("%s has %s, which %s lacks", lang, key, Fallback)
			}
		}
	}
}

// What the server says is plain: text and arguments, so that fill is enough.
func TestServerSentencesArePlain(t *testing.T) {
	for _, key := range Keys() {
		if !strings.HasPrefix(key, "problem.") && !strings.HasPrefix(key, "footage.gap.") {
			continue
		}
		for _, lang := range Languages() {
			if s := catalogue[lang][key]; strings.Contains(s, ", plural") || strings.Contains(s, ", select") || strings.Contains(s, "''") {
				t.Errorf("%s: %s is more than text and arguments: %s", lang, key, s)
			}
		}
	}
}

func TestSentence(t *testing.T) {
	catalogue["en"]["test.plain"], catalogue["zh-Hans"]["test.plain"] = "No answer from {host}.", "{host} 没有回应。"
	defer func() { delete(catalogue["en"], "test.plain"); delete(catalogue["zh-Hans"], "test.plain") }()
	for _, c := range []struct {
		name, lang, key string
		args            map[string]string
		want            string
	}{
		{"in the language asked for", "zh-Hans", "test.plain", map[string]string{"host": "192.0.2.1"}, "192.0.2.1 没有回应。"},
		{"in English for a stranger", "pt", "test.plain", map[string]string{"host": "a"}, "No answer from a."},
		{"a missing argument shows", "en", "test.plain", nil, "No answer from {host}."},
		{"a value is never read as an argument", "en", "test.plain", map[string]string{"host": "{host}{x}"}, "No answer from {host}{x}."},
		{"an unknown key is nothing", "en", "test.nothing", nil, ""},
	} {
		if got := Sentence(c.lang, c.key, c.args); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

var argument = regexp.MustCompile(`\{\s*(\w+)\s*[,}]`)

// arguments are the names used in a message, each once, sorted; the words of plural cases are none.
func arguments(s string) []string {
	var names []string
	for _, m := range argument.FindAllStringSubmatch(s, -1) {
		names = append(names, m[1])
	}
	// "{n, plural, one {day} other {days}}": a case with one bare word looks like an argument.
	if strings.Contains(s, ", plural") || strings.Contains(s, ", select") {
		names = nil
		for _, m := range regexp.MustCompile(`\{\s*(\w+)\s*, (?:plural|select)`).FindAllStringSubmatch(s, -1) {
			names = append(names, m[1])
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
