package httpapi

import (
	"golang.org/x/text/language"
)

// languages are those the catalogue is complete in. The first is the fallback.
var languages = []language.Tag{language.English, language.MustParse("zh-Hans")}

var matcher = language.NewMatcher(languages)

// negotiate picks the language of an Accept-Language header.
func negotiate(header, otherwise string) string {
	if header == "" {
		return otherwise
	}
	tags, _, err := language.ParseAcceptLanguage(header)
	if err != nil || len(tags) == 0 {
		return otherwise
	}
	_, i, confidence := matcher.Match(tags...)
	if confidence == language.No {
		return otherwise
	}
	return languages[i].String()
}

// speak is the language of the catalogue for what an account chose, or "".
func speak(chosen string) string {
	for _, l := range languages {
		if l.String() == chosen {
			return chosen
		}
	}
	return ""
}

// sentence looks a key up in the request's language.
func (a *API) sentence(in *inside, key string, args map[string]string) string {
	lang := in.lang
	if lang == "" {
		lang = a.deps.Language
	}
	return a.deps.Words(lang, key, args)
}
