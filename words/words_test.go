package words

import (
	"maps"
	"slices"
	"testing"
)

func TestLanguagesAreComplete(t *testing.T) {
	if got := Languages(); !slices.Equal(got, []string{"en", "zh-Hans"}) {
		t.Fatalf("languages are %v", got)
	}
	for _, lang := range Languages() {
		for _, key := range Keys() {
			message, ok := catalogue[lang][key]
			if !ok || len(message) == 0 {
				t.Errorf("%s lacks %s", lang, key)
			}
			if want, got := names(catalogue[Fallback][key]), names(message); !slices.Equal(want, got) {
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

func names(message []part) []string {
	return slices.Sorted(maps.Keys(arguments(message, map[string]bool{})))
}

func TestSentence(t *testing.T) {
	for lang, message := range map[string]string{"en": "No answer from {host}{why, select, port {: wrong port} other {}}. {n, plural, =0 {Never} one {# try} other {# tries}}.", "zh-Hans": "{host} 没有回应{why, select, port {：端口不对} other {}}。试了 {n, plural, other {# 次}}。"} {
		parsed, err := parse(message)
		if err != nil {
			t.Fatal(err)
		}
		catalogue[lang]["test.plain"] = parsed
		defer delete(catalogue[lang], "test.plain")
	}
	type args = map[string]string
	for _, c := range []struct {
		name, lang, key string
		args            args
		want            string
	}{
		{"in the language asked for", "zh-Hans", "test.plain", args{"host": "192.0.2.1", "why": "port", "n": "1"}, "192.0.2.1 没有回应：端口不对。试了 1 次。"},
		{"in English for a stranger", "pt", "test.plain", args{"host": "a", "n": "1"}, "No answer from a. 1 try."},
		{"many", "en", "test.plain", args{"host": "a", "n": "3"}, "No answer from a. 3 tries."},
		{"exactly", "en", "test.plain", args{"host": "a", "n": "0"}, "No answer from a. Never."},
		{"a missing argument shows", "en", "test.plain", args{"n": "2"}, "No answer from {host}. 2 tries."},
		{"a value is never read as an argument", "en", "test.plain", args{"host": "{host}{x}", "n": "2"}, "No answer from {host}{x}. 2 tries."},
		{"an unknown key is nothing", "en", "test.nothing", nil, ""},
	} {
		if got := Sentence(c.lang, c.key, c.args); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestBrokenMessagesAreRefused(t *testing.T) {
	for _, s := range []string{"{", "a}", "{}", "{a", "{a, date}", "{a, plural, one {x}}", "{a, select, other {x}", "{a, select, other x}"} {
		if _, err := parse(s); err == nil {
			t.Errorf("%q is read", s)
		}
	}
	for s, want := range map[string]string{"it''s '{'raw'}' don't": "it's {raw} don't", "": ""} {
		parts, err := parse(s)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, p := range parts {
			got += p.text
		}
		if got != want {
			t.Errorf("%q reads %q, want %q", s, got, want)
		}
	}
}
