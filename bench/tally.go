package main

import "math"

// tally makes figures of joins.
type tally struct {
	way    string
	camera float64 // ms since 1970 at which picture 0 was due

	picture, frame, edge, lift []float64 // from the click
	pictureAsked, edgeAsked    []float64 // from the POST or the opening of the WebSocket
	still, asked               []float64
	age, stale, stood          []float64
	missed                     int
}

func (t *tally) take(j join) {
	from := func(p *float64) float64 {
		if p == nil {
			return math.Inf(1)
		}
		return *p
	}
	asked, still, frame := from(j.Asked), from(j.Still), from(j.First)
	picture := min(still, frame)
	edge, stale, age := t.live(j)
	put := func(to *[]float64, v float64) {
		if math.IsInf(v, 0) || math.IsNaN(v) {
			v = joinPatience // it did not come; the row says how often
		}
		*to = append(*to, v)
	}
	put(&t.asked, asked)
	put(&t.still, still)
	put(&t.picture, picture)
	put(&t.frame, frame)
	put(&t.pictureAsked, frame-asked)
	put(&t.lift, from(j.Edge))
	put(&t.edge, edge)
	put(&t.edgeAsked, edge-asked)
	t.stale = append(t.stale, float64(stale))
	t.age = append(t.age, age...)
	t.stood = append(t.stood, stood(j))
	if math.IsInf(edge, 0) {
		t.missed++
	}
}

// live finds the first moment from the lifting of the cover on at which a live picture was on
// screen, how many older ones were seen before that, and the ages of the pictures after it.
func (t *tally) live(j join) (edge float64, stale int, ages []float64) {
	edge = math.Inf(1)
	if j.Edge == nil {
		return edge, 0, nil
	}
	var ref *frame
	for i := range j.Frames {
		if j.Frames[i].Number != nil {
			ref = &j.Frames[i]
			break
		}
	}
	if ref == nil {
		return edge, 0, nil
	}
	lifted := j.Began + *j.Edge
	for i, f := range j.Frames {
		// The picture on screen when the cover goes is the one whose callback lifted it, or the last before.
		next := math.Inf(1)
		if i+1 < len(j.Frames) {
			next = j.Frames[i+1].At
		}
		if next <= lifted {
			continue
		}
		number := float64(*ref.Number) + (f.Time-ref.Time)*fps
		if f.Number != nil {
			number = float64(*f.Number)
		}
		shown := j.Origin + f.At - t.camera
		round := float64(roundSecs * 1000)
		age := math.Mod(shown-number*1000/fps, round)
		if age < -round/2 {
			age += round
		}
		if age > round/2 {
			age -= round
		}
		if math.IsInf(edge, 0) {
			if age > liveWithin[t.way] {
				stale++
				continue
			}
			edge = max(f.At, lifted) - j.Began
		}
		ages = append(ages, age)
	}
	return edge, stale, ages
}

// stood is the longest that one picture stood on screen after the cover was lifted.
func stood(j join) (longest float64) {
	if j.Edge == nil {
		return joinPatience
	}
	for i := 1; i < len(j.Frames); i++ {
		if j.Frames[i].At > j.Began+*j.Edge {
			longest = max(longest, j.Frames[i].At-j.Frames[i-1].At)
		}
	}
	return longest
}

func (t *tally) report(b *bench, row string) {
	const p95 = 0.95
	b.add(
		of("first_picture_"+row+"_p95_ms", "ms", p95, t.picture),
		of("live_edge_"+row+"_p95_ms", "ms", p95, t.edge),
		of("first_frame_"+row+"_p95_ms", "ms", p95, t.frame),
		of("first_frame_from_request_"+row+"_p95_ms", "ms", p95, t.pictureAsked),
		of("live_edge_from_request_"+row+"_p95_ms", "ms", p95, t.edgeAsked),
		of("request_"+row+"_p95_ms", "ms", p95, t.asked),
		of("still_"+row+"_p95_ms", "ms", p95, t.still),
		of("cover_lifted_"+row+"_p95_ms", "ms", p95, t.lift),
		of("picture_age_"+row+"_p95_ms", "ms", p95, t.age),
		of("stood_still_"+row+"_p95_ms", "ms", p95, t.stood),
		of("stale_seen_"+row+"_p95", "pictures", p95, t.stale),
		one("not_live_"+row, "joins", float64(t.missed)),
	)
	f := b.figures[len(b.figures)-12:]
	say("join %s: first picture %g/%g ms, live edge %g/%g ms (median/p95), never live %d of %d", row, f[0].Median, f[0].Value, f[1].Median, f[1].Value, t.missed, len(t.edge))
}
