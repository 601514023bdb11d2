package notice_test

import (
	"strings"
	"testing"
	"time"

	"candor/internal/notice"
	"candor/internal/problem"
	"candor/internal/promise"
)

var (
	languages = []string{"en", "zh-Hans"}
	today     = time.Date(2030, 5, 6, 12, 0, 0, 0, time.UTC)
)

// written is a whole notice of a kind, with lines put before its texts.
func written(kind, lines string, names ...string) string {
	var b strings.Builder
	b.WriteString("kind: " + kind + "\n" + lines + "texts:\n")
	for _, lang := range languages {
		b.WriteString("  " + lang + ":\n")
		for _, n := range names {
			b.WriteString("    " + n + ": said of " + n + " in " + lang + "\n")
		}
	}
	return b.String()
}

const known = "cause: attack\nknown: 2030-05-05T10:00:00Z\naffects: {everybody: true}\n"

var (
	incidentParts = []string{"facts", "effect", "measures", "advice", "remedies"}
	incident      = written("incident", known, incidentParts...)
	closing       = written("closing", "ends: 2030-06-30\nerases: 2030-07-10\n", "what", "copies")
	controller    = written("controller", "from: 2030-07-01\n", "owner", "uses", "choices")
)

func read(s string) (notice.Draft, error) { return notice.Read(strings.NewReader(s), today, languages) }

func TestANoticeThatSaysEverythingIsRead(t *testing.T) {
	promise.Proves(t, "P312")
	for _, s := range []string{incident, closing, controller} {
		if _, err := read(s); err != nil {
			t.Errorf("%v\n%s", err, s)
		}
	}
	for _, cause := range []string{"attack", "mistake", "accident", "force-majeure"} { // each has the same duty to tell
		if _, err := read(strings.Replace(incident, "cause: attack", "cause: "+cause, 1)); err != nil {
			t.Errorf("%s: %v", cause, err)
		}
	}
}

// Half a notice cannot be declared, in no language and of no kind.
func TestAPartThatIsMissing(t *testing.T) {
	promise.Proves(t, "P307", "P336")
	for name, whole := range map[string]string{"incident": incident, "closing": closing, "controller": controller} {
		for line := range strings.Lines(whole) {
			if !strings.Contains(line, "said of") {
				continue
			}
			part, _, _ := strings.Cut(strings.TrimSpace(line), ":")
			blank := strings.Replace(whole, line, "    "+part+": \" \"\n", 1)
			_, err := read(blank)
			if p, ok := problem.Of(err); !ok || p.Code != "notice.part" || p.Args["part"] != part {
				t.Errorf("%s without %q: %v", name, strings.TrimSpace(line), err)
			}
		}
	}
}

func TestNoticesThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ text, code, says string }{
		"empty":               {"", "notice.file", "EOF"},
		"no yaml":             {"a: b: c", "notice.file", ""},
		"unknown field":       {strings.Replace(incident, "kind:", "king: x\nkind:", 1), "notice.file", "king"},
		"unknown kind":        {strings.Replace(incident, "kind: incident", "kind: party", 1), "notice.file", "kind has to be"},
		"two documents":       {incident + "---\nkind: closing\n", "notice.file", "more than one"},
		"unknown cause":       {strings.Replace(incident, "cause: attack", "cause: fate", 1), "notice.file", "cause has to be"},
		"known tomorrow":      {strings.Replace(incident, "2030-05-05", "2030-05-07", 1), "notice.file", "future"},
		"nobody":              {strings.Replace(incident, "affects: {everybody: true}\n", "", 1), "notice.file", "names nobody"},
		"backwards":           {strings.Replace(incident, "{everybody: true}", "{accesses: {from: 2030-05-02T00:00:00Z, to: 2030-05-01T00:00:00Z}}", 1), "notice.file", "begin before"},
		"by whom":             {strings.Replace(incident, "{everybody: true}", "{accesses: {from: 2030-05-01T00:00:00Z, to: 2030-05-02T00:00:00Z, by: ghost}}", 1), "notice.file", "by has to be"},
		"no language":         {strings.Replace(incident, "  en:", "  fr:", 1), "notice.file", "no language of the app"},
		"a part of another":   {strings.Replace(incident, "    facts:", "    owner: x\n    facts:", 1), "notice.file", "does not have"},
		"a field of another":  {strings.Replace(closing, "ends:", "cause: attack\nends:", 1), "notice.file", "belongs to"},
		"no day":              {strings.Replace(closing, "2030-06-30", "soon", 1), "notice.file", "is no day"},
		"no end":              {strings.Replace(closing, "ends: 2030-06-30\n", "", 1), "notice.file", "ends is missing"},
		"erased before":       {strings.Replace(closing, "2030-07-10", "2030-06-01", 1), "notice.file", "erases has to be"},
		"erased in years":     {strings.Replace(closing, "2030-07-10", "2033-06-01", 1), "notice.file", "erases has to be"},
		"nobody takes over":   {strings.Replace(controller, "from: 2030-07-01\n", "", 1), "notice.file", "from is missing"},
		"too long":            {strings.Replace(incident, "said of facts in en", strings.Repeat("x", 4001), 1), "notice.file", "4 000"},
		"larger than allowed": {incident + "#" + strings.Repeat("x", 65<<10), "notice.file", "64 KiB"},
	} {
		_, err := read(c.text)
		p, ok := problem.Of(err)
		if !ok || p.Code != c.code || !strings.Contains(p.Args["why"], c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The service ends 30 days from now at the earliest, and the refusal says on which day that is.
func TestAnEndThatIsTooNear(t *testing.T) {
	promise.Proves(t, "P332")
	_, err := read(strings.Replace(closing, "ends: 2030-06-30", "ends: 2030-06-05", 1))
	if p, ok := problem.Of(err); !ok || p.Code != "notice.early" || p.Args["day"] != "2030-06-06" {
		t.Errorf("30 days less some hours: %v", err)
	}
	if _, err := read(strings.Replace(closing, "ends: 2030-06-30", "ends: 2030-06-06", 1)); err != nil {
		t.Errorf("the first day that is far enough: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{incident, closing, controller, "kind: [", "texts: {en: {facts: &a [*a]}}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := read(s)
		if err != nil {
			if _, ok := problem.Of(err); !ok {
				t.Errorf("no problem with a sentence: %v", err)
			}
			return
		}
		if d.Kind == notice.Closing && d.Ends.Before(today.AddDate(0, 0, 30)) {
			t.Errorf("an end within 30 days: %v", d.Ends)
		}
		for _, lang := range languages {
			for name, text := range d.Texts[lang] {
				if strings.TrimSpace(text) == "" {
					t.Errorf("%s says nothing in %s", name, lang)
				}
			}
		}
	})
}
