// Package words holds every sentence a person reads, once per language: the catalogue that the web
// app, problems, mails and notifications share. Keys are flat, values are ICU messages.
//
// The app compiles the catalogue at build time (web/tools/messages.mjs) and knows plurals and
// selections. Here only {argument} is filled in, which is all that problems and reasons use; a test
// says so. Texts about data do not live here but in policy/.
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

func load() map[string]map[string]string {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(err)
	}
	all := map[string]map[string]string{}
	for _, e := range entries {
		b, err := files.ReadFile(e.Name())
		if err != nil {
			panic(err)
		}
		var messages map[string]string
		if err := json.Unmarshal(b, &messages); err != nil {
			panic(fmt.Sprintf("words/%s: %v", e.Name(), err))
		}
		all[strings.TrimSuffix(e.Name(), ".json")] = messages
	}
	return all
}

// Languages lists what the catalogue is complete in.
func Languages() []string { return slices.Sorted(maps.Keys(catalogue)) }

// Keys lists the keys of every sentence, sorted.
func Keys() []string { return slices.Sorted(maps.Keys(catalogue[Fallback])) }

// Has reports whether there is a sentence under key.
func Has(key string) bool { _, ok := catalogue[Fallback][key]; return ok }

// Sentence is the sentence under key in a language, its {arguments} filled in. An unknown language
// reads English; an unknown key reads as "". An argument that is not given stays visible as {name}.
func Sentence(lang, key string, args map[string]string) string {
	s, ok := catalogue[lang][key]
	if !ok {
		s = catalogue[Fallback][key]
	}
	return fill(s, args)
}

// fill replaces {name} in one pass, so that a value with braces is never read as an argument.
func fill(s string, args map[string]string) string {
	if len(args) == 0 || !strings.Contains(s, "{") {
		return s
	}
	var b strings.Builder
	for {
		open := strings.IndexByte(s, '{')
		if open < 0 {
			break
		}
		end := strings.IndexByte(s[open:], '}')
		if end < 0 {
			break
		}
		name := strings.TrimSpace(s[open+1 : open+end])
		b.WriteString(s[:open])
		if value, ok := args[name]; ok {
			b.WriteString(value)
		} else {
			b.WriteString(s[open : open+end+1])
		}
		s = s[open+end+1:]
	}
	b.WriteString(s)
	return b.String()
}
