package share

import (
	"slices"
	"time"

	"candor/internal/problem"
)

// Hours are the times of the week at which a share may be used; none at all means any time.
type Hours []Span

// Span is one stretch of the day on some days of the week. To at or before From goes on into the
// next day; both alike is the whole day. Minutes are counted from midnight.
type Span struct {
	Days []int `json:"days"` // 1 Monday to 7 Sunday, of the stretch's beginning
	From int   `json:"from"` // 0 to 1439
	To   int   `json:"to"`   // 1 to 1440
}

const (
	maxSpans  = 21
	dayLength = 24 * 60
)

func (h Hours) check() error {
	wrong := len(h) > maxSpans
	for _, s := range h {
		wrong = wrong || len(s.Days) == 0 || len(s.Days) > 7 || s.From < 0 || s.From >= dayLength || s.To < 1 || s.To > dayLength
		for i, d := range s.Days {
			wrong = wrong || d < 1 || d > 7 || slices.Contains(s.Days[:i], d)
		}
	}
	if wrong {
		return problem.Invalid("share.hours")
	}
	return nil
}

// at reports whether a moment lies within the hours, and until when they last without a break. A
// zero end is none.
func (h Hours) at(now time.Time, zone *time.Location) (end time.Time, within bool) {
	if len(h) == 0 {
		return time.Time{}, true
	}
	local := now.In(zone)
	const week = 8
	for end = now; end.Before(now.AddDate(0, 0, week)); {
		next := h.ends(end, local, zone)
		if !next.After(end) {
			break
		}
		end = next
	}
	return end, end.After(now)
}

// ends is the latest end of a stretch that a moment lies in, or the zero time. The stretches looked
// at are those of the days around a local date and the week after it.
func (h Hours) ends(at, around time.Time, zone *time.Location) (latest time.Time) {
	for shift := -1; shift <= 9; shift++ {
		for _, s := range h {
			y, m, d := around.Date()
			begin := time.Date(y, m, d+shift, 0, s.From, 0, 0, zone)
			noon := time.Date(y, m, d+shift, 12, 0, 0, 0, zone) // a day whose midnight the clock skips has a noon
			if !slices.Contains(s.Days, (int(noon.Weekday())+6)%7+1) {
				continue
			}
			over := 0
			if s.To <= s.From {
				over = 1
			}
			end := time.Date(y, m, d+shift+over, 0, s.To, 0, 0, zone)
			if !at.Before(begin) && at.Before(end) && end.After(latest) {
				latest = end
			}
		}
	}
	return latest
}
