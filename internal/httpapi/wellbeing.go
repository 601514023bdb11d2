package httpapi

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"candor/internal/id"
	"candor/internal/permit"
)

// CameraHealth is how one camera is doing. The rooms fill everything but the sentences.
type CameraHealth struct {
	ID         id.Binding        `json:"camera_id"`
	Name       string            `json:"name"`
	Phase      string            `json:"phase" enum:"connecting,live,waiting,stopped"`
	Shared     bool              `json:"shared" doc:"It is somebody else's; nothing is said of their footage"`
	Wanted     bool              `json:"wanted" doc:"Its owner wants footage and agreed to it"`
	Recording  bool              `json:"recording" doc:"Footage is being written now"`
	Away       Moment            `json:"away_since,omitzero"`
	Newest     Moment            `json:"newest,omitzero" doc:"End of the newest footage"`
	Oldest     Moment            `json:"oldest,omitzero"`
	KeptDays   int               `json:"kept_days" doc:"Whole days that the footage reaches back"`
	KeepsDays  int               `json:"keeps_days" doc:"Days it will reach back, as it is filling now"`
	Gaps       int               `json:"gaps" doc:"Breaks in the footage of the last 24 hours"`
	GapSeconds int64             `json:"gap_seconds"`
	Code       string            `json:"code,omitempty" doc:"What keeps it from being live"`
	Args       map[string]string `json:"-"`
	Trouble    string            `json:"-"` // what keeps footage from being written
	Sentence   string            `json:"sentence" doc:"What is known and what to try; empty when all is well"`
}

// Health is what Home says first.
type Health struct {
	Tone      string         `json:"tone" enum:"ok,warn,alert,plain"`
	Sentence  string         `json:"sentence"`
	Gaps      string         `json:"gaps" doc:"A sentence about gaps in the last 24 hours; empty without any"`
	Total     int            `json:"total"`
	Recording int            `json:"recording"`
	Offline   int            `json:"offline"`
	Cameras   []CameraHealth `json:"cameras" nullable:"false" doc:"Worst first"`
}

func (a *API) wellbeing() {
	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/health", ID: "getHealth", Summary: "How your cameras are doing", Auth: Session, Action: permit.CameraList, Tag: "cameras"},
		func(ctx context.Context, _ *none) (*struct{ Body Health }, error) {
			in := of(ctx)
			all, err := a.deps.Cameras.Health(ctx, in.permit, in.caller.Account)
			if err != nil {
				return nil, err
			}
			return &struct{ Body Health }{a.speakHealth(in, all)}, nil
		})
}

func (c CameraHealth) off() bool { return c.Phase == "waiting" || c.Phase == "stopped" }

// missing reports whether footage that is wanted is not written. A camera that has just begun to
// connect or to record is given its time.
func (c CameraHealth) missing() bool {
	return c.Wanted && !c.Recording && (c.off() || c.Phase == "live" && c.Trouble != "")
}

func (c CameraHealth) badness() int {
	switch {
	case c.missing():
		return 0
	case c.off():
		return 1
	case c.Gaps > 0:
		return 2
	case c.Phase == "connecting":
		return 3
	}
	return 4
}

// speakHealth makes one sentence of all cameras: the worst thing there is to say, or that all is well.
func (a *API) speakHealth(in *inside, all []CameraHealth) Health {
	h := Health{Total: len(all), Tone: "ok", Cameras: orEmpty(all)}
	slices.SortStableFunc(h.Cameras, func(x, y CameraHealth) int { return cmp.Compare(x.badness(), y.badness()) })
	var missing []string
	live, gaps, days, keeps := 0, 0, -1, -1
	var seconds int64
	for i := range h.Cameras {
		c := &h.Cameras[i]
		switch {
		case c.Code != "" && c.off():
			c.Sentence = a.sentence(in, "problem."+c.Code, c.Args)
		case c.Trouble != "" && c.missing():
			c.Sentence = a.sentence(in, "footage.gap."+c.Trouble, nil)
		}
		if c.off() {
			h.Offline++
		}
		if c.Phase == "live" {
			live++
		}
		if c.missing() {
			missing = append(missing, c.Name)
		}
		if c.Recording {
			h.Recording++
		}
		if c.Recording && !c.Shared {
			days, keeps = least(days, c.KeptDays), least(keeps, c.KeepsDays)
		}
		gaps += c.Gaps
		seconds += c.GapSeconds
	}
	say := func(tone, key string, args map[string]int, names ...string) {
		text := map[string]string{"names": strings.Join(names, a.sentence(in, "health.and", nil))}
		for k, v := range args {
			text[k] = strconv.Itoa(v)
		}
		h.Tone, h.Sentence = tone, a.sentence(in, "health."+key, text)
	}
	switch total := h.Total; {
	case total == 0:
		say("plain", "none", nil)
	case h.Offline == total:
		say("alert", "allOff", map[string]int{"n": total})
	case len(missing) > 0:
		say("warn", "notRecording", map[string]int{"n": len(missing), "total": total}, few(missing)...)
	case h.Offline > 0:
		say("warn", "someOff", map[string]int{"off": h.Offline, "live": live})
	case live < total:
		say("plain", "connecting", map[string]int{"n": total - live})
	case h.Recording == 0:
		say("ok", "live", map[string]int{"n": total})
	case h.Recording < total:
		say("ok", "someRecording", map[string]int{"n": total, "recording": h.Recording})
	case days < 0:
		say("ok", "recording", map[string]int{"n": total})
	case days < 1:
		say("ok", "allRecordingNew", map[string]int{"n": total, "days": keeps})
	default:
		say("ok", "allRecording", map[string]int{"n": total, "days": days})
	}
	if gaps > 0 {
		h.Gaps = a.sentence(in, "health.gaps", map[string]string{"n": strconv.Itoa(gaps), "minutes": strconv.FormatInt(max(1, (seconds+30)/60), 10)})
	}
	return h
}

func least(a, b int) int {
	if a < 0 || b < a {
		return b
	}
	return a
}

// few are the first names of many; an ellipsis stands for the rest.
func few(names []string) []string {
	const most = 3
	if len(names) > most {
		return append(slices.Clone(names[:most]), "…")
	}
	return names
}
