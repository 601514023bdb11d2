package motion

import (
	"math"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"candor/internal/live/livetest"
)

// somebody walks, and has something light and something dark about them.
func somebody(x, y, w, h float64, put func(x, y, w, h, level float64)) {
	put(x, y, w, h, 60)
	put(x+w/4, y+h/8, w/2, h/3, 200)
	put(x, y+h*0.8, w, h/10, 20)
}

// crossing is somebody who crosses the picture from 30 s to 60 s.
func crossing(w, h float64) func(t float64, put func(x, y, w, h, level float64)) {
	return func(t float64, put func(x, y, w, h, level float64)) {
		if t >= 30 && t < 60 {
			somebody((t-30)*5, 35, w, h, put)
		}
	}
}

func TestWhatIsNoEvent(t *testing.T) {
	for name, change := range map[string]func(s *scene){
		"nothing":          func(s *scene) {},
		"a sensor's noise": func(s *scene) { s.noise = 25 },
		"slow light":       func(s *scene) { s.light = func(t, x, y float64) float64 { return 0.7 + 0.3*math.Sin(t/30) } },
		"flicker":          func(s *scene) { s.light = func(t, x, y float64) float64 { return 1 + 0.15*math.Sin(t*t*7.3) } },
		"light switched": func(s *scene) {
			s.light = func(t, x, y float64) float64 { return []float64{1, 0.4, 1.6, 0.15, 0.8}[int(t/20)%5] }
		},
		"lightning": func(s *scene) {
			s.light = func(t, x, y float64) float64 {
				if int(t)%17 == 16 {
					return 2.5
				}
				return 1
			}
		},
		"a lamp that lights a part": func(s *scene) {
			s.light = func(t, x, y float64) float64 {
				if int(t/15)%2 == 0 {
					return 1
				}
				return 1 + 0.7*math.Exp(-((x-50)*(x-50)+(y-40)*(y-40))/900)
			}
		},
		"clouds": func(s *scene) {
			s.light = func(t, x, y float64) float64 { return 0.75 + 0.25*math.Tanh(3*math.Sin((x+y/3)/60+t/9)) }
		},
		"a branch that sways from the start": func(s *scene) {
			s.sway = func(t, x, y float64) (float64, float64) {
				if x > 100 && y < 50 {
					return 2 * math.Sin(t*1.3+x/9), math.Sin(t*2.1 + y/7)
				}
				return 0, 0
			}
		},
		"a pole that shakes": func(s *scene) {
			s.sway = func(t, x, y float64) (float64, float64) { return 0.4 * math.Sin(t*t), 0.4 * math.Cos(t*t*1.7) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := place(3)
			change(s)
			if got := s.play(NewDetector(Settings{}), 64); len(got) > 0 {
				t.Errorf("events %v, want none", got)
			}
		})
	}
}

func TestSomebodyCrosses(t *testing.T) {
	for name, change := range map[string]func(s *scene){
		"by day":   func(s *scene) {},
		"in noise": func(s *scene) { s.noise = 15 },
		"at dusk": func(s *scene) {
			s.light = func(t, x, y float64) float64 { return max(0.3, 1-t/120) }
		},
		"as the light goes on": func(s *scene) {
			s.light = func(t, x, y float64) float64 {
				if t < 40 {
					return 0.6
				}
				return 1.1
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := place(4)
			s.paint = crossing(8, 20)
			change(s)
			same(t, name, s.play(NewDetector(Settings{}), 70), []event{{30, 60}}, 2)
		})
	}
}

// What is left standing is absorbed after a minute; what it uncovers when it goes is known still.
func TestWhatStandsIsAbsorbed(t *testing.T) {
	s := place(5)
	s.paint = func(t float64, put func(x, y, w, h, level float64)) {
		if t >= 20 && t < 140 {
			somebody(min((t-25)*12, 70), 40, 26, 18, put)
		}
	}
	got := s.play(NewDetector(Settings{}), 220)
	if len(got) == 0 || math.Abs(got[0].From-22) > 2 || got[0].To < 80 || got[0].To > 110 {
		t.Fatalf("events %v, want the first from 22 to about 90", got)
	}
	for _, e := range got[1:] {
		if e.To-e.From > 5 || e.From < 130 {
			t.Errorf("event %v: the place behind was not known any more", e)
		}
	}
}

// Who was there when the watching began leaves no ghost behind.
func TestWhoWasThereFromTheFirstLeaves(t *testing.T) {
	s := place(5)
	s.paint = func(t float64, put func(x, y, w, h, level float64)) {
		somebody(60+max(0, t-20)*12, 30, 12, 30, put)
	}
	got := s.play(NewDetector(Settings{}), 60)
	if len(got) != 1 || math.Abs(got[0].From-20) > 2 || got[0].To > 42 {
		t.Errorf("events %v, want one from 20 to 35 or a little later", got)
	}
}

// crowded is a place full of things.
func crowded(seed uint64, also func(t float64, put func(x, y, w, h, level float64))) *scene {
	s := place(seed)
	var things [150][5]float64
	for i := range things {
		things[i] = [5]float64{s.rnd.Float64() * 155, s.rnd.Float64() * 85, 3 + s.rnd.Float64()*15, 3 + s.rnd.Float64()*15, 20 + s.rnd.Float64()*220}
	}
	s.paint = func(t float64, put func(x, y, w, h, level float64)) {
		for _, b := range things {
			put(b[0], b[1], b[2], b[3], b[4])
		}
		also(t, put)
	}
	return s
}

func TestASceneThatChangesIsLearnedAnew(t *testing.T) {
	a, b := crowded(6, func(float64, func(x, y, w, h, level float64)) {}), crowded(7, crossing(9, 24))
	d := NewDetector(Settings{})
	if got := a.play(d, 20); len(got) > 0 {
		t.Fatalf("events %v before anything happened", got)
	}
	var kinds []Kind
	for at := 20; at < 70; at++ {
		for _, c := range d.Look(Picture{At: time.Duration(at) * time.Second, Luma: b.picture(float64(at))}) {
			if c.Kind != Goes {
				kinds = append(kinds, c.Kind)
			}
		}
	}
	if !slices.Equal(kinds, []Kind{Began, Ended}) {
		t.Errorf("changes %v, want the one event after the camera was turned", kinds)
	}
}

func TestAnEventEndsWhenTheSceneChanges(t *testing.T) {
	a, b := crowded(6, crossing(8, 20)), crowded(7, func(float64, func(x, y, w, h, level float64)) {})
	d := NewDetector(Settings{})
	a.play(d, 45)
	if !d.Open() {
		t.Fatal("no event is open")
	}
	var said []Change
	for at := 45; at < 60; at++ {
		said = append(said, d.Look(Picture{At: time.Duration(at) * time.Second, Luma: b.picture(0)})...)
	}
	if len(said) != 1 || said[0].Kind != Dropped || d.Open() {
		t.Errorf("changes %+v, want that the event is let go", said)
	}
}

var (
	left  = Zone{Points: []Point{{0, 0}, {0.5, 0}, {0.5, 1}, {0, 1}}}
	right = Zone{Points: []Point{{0.5, 0}, {1, 0}, {1, 1}, {0.5, 1}}}
)

func TestZones(t *testing.T) {
	ignored := left
	ignored.Ignore = true
	for name, c := range map[string]struct {
		zones []Zone
		want  []event
	}{
		"everywhere":       {nil, []event{{30, 60}}},
		"left only":        {[]Zone{left}, []event{{30, 46}}},
		"right only":       {[]Zone{right}, []event{{45, 60}}},
		"both":             {[]Zone{left, right}, []event{{30, 60}}},
		"all but the left": {[]Zone{ignored}, []event{{45, 60}}},
		"nowhere":          {[]Zone{left, ignored}, nil},
	} {
		s := place(4)
		s.paint = crossing(8, 20)
		d, zones := NewDetector(Settings{Zones: c.zones}), uint32(0)
		var got []event
		for at := range 70 {
			for _, ch := range d.Look(Picture{At: time.Duration(at) * time.Second, Luma: s.picture(float64(at))}) {
				zones |= ch.Zones
				switch ch.Kind {
				case Began:
					got = append(got, event{ch.At.Seconds(), math.Inf(1)})
				case Ended:
					got[len(got)-1].To = ch.At.Seconds()
				}
			}
		}
		same(t, name, got, c.want, 2.5)
		if want := uint32(1)<<len(c.zones) - 1; len(c.want) > 0 && name != "all but the left" && zones != want {
			t.Errorf("%s: it moved in zones %b, want %b", name, zones, want)
		}
	}
}

// More sensitive means: sees the same and more.
func TestSensitivity(t *testing.T) {
	var seen [MaxSensitivity + 1]int
	for n := MinSensitivity; n <= MaxSensitivity; n++ {
		for _, size := range []float64{1.3, 6} {
			s := place(8)
			s.paint = crossing(size, size*2)
			for _, e := range s.play(NewDetector(Settings{Sensitivity: n}), 64) {
				seen[n] += int(min(e.To, 64) - e.From)
			}
		}
	}
	for n := MinSensitivity + 1; n <= MaxSensitivity; n++ {
		if seen[n] < seen[n-1] {
			t.Errorf("sensitivity %d saw %d s, %d saw %d s", n, seen[n], n-1, seen[n-1])
		}
	}
	if seen[1] >= seen[3] || seen[3] >= seen[5] {
		t.Errorf("seconds seen by sensitivity: %v; they do not differ", seen[1:])
	}
}

func TestEmptyRoomForHalfAnHour(t *testing.T) {
	events, _ := truth(t)
	var choice []string
	last := 0.0
	for _, e := range append(events, event{140, 0}) {
		if from, to := last, e.From-1.3; to > from {
			choice = append(choice, "between(t,"+num(from)+","+num(to)+")")
		}
		last = e.To + 1.3
	}
	b, err := exec.Command("ffmpeg", "-v", "error", "-i", livetest.File("people.sub.mp4"), "-vf",
		"select='"+strings.Join(choice, "+")+"',scale=160:90:flags=area,format=gray", "-fps_mode", "passthrough", "-f", "rawvideo", "pipe:1").Output()
	if err != nil {
		t.Fatal(err)
	}
	empty := slices.Collect(slices.Chunk(b, pixels))
	if len(empty) < 40 {
		t.Fatalf("%d pictures of the empty room", len(empty))
	}
	d := NewDetector(Settings{})
	for n := range 1800 {
		if c := d.Look(Picture{At: time.Duration(n) * time.Second, Luma: empty[n*13%len(empty)]}); len(c) > 0 {
			t.Fatalf("after %d s of emptiness: %+v", n, c)
		}
	}
}

func num(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

func TestWhatIsNoPictureIsNotLookedAt(t *testing.T) {
	d := NewDetector(Settings{})
	s := place(1)
	d.Look(Picture{At: time.Minute, Luma: s.picture(0)})
	for name, p := range map[string]Picture{
		"none":      {At: 2 * time.Minute},
		"too small": {At: 2 * time.Minute, Luma: make([]byte, 9)},
		"too large": {At: 2 * time.Minute, Luma: make([]byte, pixels+1)},
		"earlier":   {At: time.Second, Luma: make([]byte, pixels)},
	} {
		if c := d.Look(p); c != nil || d.at != time.Minute {
			t.Errorf("%s: %v", name, c)
		}
	}
}

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		s  Settings
		ok bool
	}{
		"nothing chosen": {Settings{}, true},
		"two zones":      {Settings{Sensitivity: 5, Zones: []Zone{left, right}}, true},
		"too sensitive":  {Settings{Sensitivity: 6}, false},
		"negative":       {Settings{Sensitivity: -1}, false},
		"a line":         {Settings{Zones: []Zone{{Points: left.Points[:2]}}}, false},
		"outside":        {Settings{Zones: []Zone{{Points: []Point{{0, 0}, {1.1, 0}, {0, 1}}}}}, false},
		"no number":      {Settings{Zones: []Zone{{Points: []Point{{0, 0}, {math.NaN(), 0}, {0, 1}}}}}, false},
		"many corners":   {Settings{Zones: []Zone{{Points: make([]Point, MaxPoints+1)}}}, false},
		"many zones":     {Settings{Zones: slices.Repeat([]Zone{left}, MaxZones+1)}, false},
	} {
		if err := c.s.Check(); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
		NewDetector(c.s) // whatever the settings, it does not break
	}
}

// Settings and pictures come from outside; whatever they are, the detector answers.
func FuzzDetector(f *testing.F) {
	f.Add([]byte{3, 0, 0, 255, 0, 255, 255}, []byte{1, 2, 3})
	f.Add([]byte{9}, []byte{255, 0})
	f.Fuzz(func(t *testing.T, settings, luma []byte) {
		var s Settings
		if len(settings) > 0 {
			s.Sensitivity = int(settings[0])
			z := Zone{}
			for i := 1; i+1 < len(settings); i += 2 {
				z.Points = append(z.Points, Point{float64(settings[i]) / 250, float64(settings[i+1]) / 250})
			}
			s.Zones = []Zone{z}
		}
		d := NewDetector(s)
		if len(luma) == 0 {
			return
		}
		began := 0
		for n := range 6 {
			p := make([]byte, pixels)
			for i := range p {
				p[i] = luma[(i+n*7)%len(luma)]
			}
			for _, c := range d.Look(Picture{At: time.Duration(n+1) * time.Second, Luma: p}) {
				switch c.Kind {
				case Began:
					began++
				case Ended, Dropped:
					began--
				}
				if c.Share < 0 || c.Share > 1 || began < 0 || began > 1 {
					t.Errorf("change %+v with %d events open", c, began)
				}
			}
		}
	})
}
