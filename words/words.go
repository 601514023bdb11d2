// Package words holds every sentence a person reads, once per language: the catalogue that the web
// app, problems, mails and notifications share. Keys are flat, values are ICU messages.
//
// The app compiles the catalogue at build time (web/scripts/messages.mjs); the server fills it in
// here. Both read the same small part of ICU: arguments, select, plural. Texts about data do not
// live here but in policy/.
package words

import (
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Fallback is the language of a reader whose own is not here.
const Fallback = "en"

//go:embed *.json
var files embed.FS

var catalogue = load()

// load parses every message once. A broken one is a mistake of the build, not of the day.
func load() map[string]map[string][]part {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(err)
	}
	all := map[string]map[string][]part{}
	for _, e := range entries {
		b, err := files.ReadFile(e.Name())
		if err != nil {
			panic(err)
		}
		var messages map[string]string
		if err := json.Unmarshal(b, &messages); err != nil {
			panic(fmt.Sprintf("words/%s: %v", e.Name(), err))
		}
		parsed := make(map[string][]part, len(messages))
		for key, message := range messages {
			if parsed[key], err = parse(message); err != nil {
				panic(fmt.Sprintf("words/%s: %s: %v", e.Name(), key, err))
			}
		}
		all[strings.TrimSuffix(e.Name(), ".json")] = parsed
	}
	return all
}

// Languages lists what the catalogue is complete in.
func Languages() []string { return slices.Sorted(maps.Keys(catalogue)) }

// Keys lists the keys of every sentence, sorted.
func Keys() []string { return slices.Sorted(maps.Keys(catalogue[Fallback])) }

// Has reports whether there is a sentence under key.
func Has(key string) bool { _, ok := catalogue[Fallback][key]; return ok }

// Sentence is the sentence under key in a language, its arguments filled in. An unknown language
// reads English; an unknown key reads as "". An argument that is not given stays visible as {name}.
func Sentence(lang, key string, args map[string]string) string {
	parts, ok := catalogue[lang][key]
	if !ok {
		lang = Fallback
		parts = catalogue[lang][key]
	}
	var b strings.Builder
	format(&b, parts, lang, args, "")
	return b.String()
}
