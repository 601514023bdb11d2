package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// A picture is live when it is younger than this, in ms. An MSE player stays behind on purpose, by
// what a browser wants in hand before it plays: 0.3 s at 15 pictures a second.
var liveWithin = map[string]float64{"whep": 250, "mse": 500}

const (
	joinsPerRow  = 15
	joinPatience = 6000 // ms
)

// joinAsk is what join.mjs is told.
type joinAsk struct {
	Browser   string  `json:"browser"`
	Base      string  `json:"base"`
	Email     string  `json:"email"`
	Password  string  `json:"password"`
	Camera    string  `json:"camera"`
	Transport string  `json:"transport"`
	GOP       int     `json:"gop"`
	Joins     int     `json:"joins"`
	Patience  int     `json:"patience"`
	Began     float64 `json:"began"` // ms since 1970 at which the camera's first picture was due
	Bits      int     `json:"bits"`
	Columns   int     `json:"columns"`
	Lines     int     `json:"lines"`
}

// join is what join.mjs saw of one join. Times are ms from the click.
type join struct {
	At        float64  `json:"at"` // ms into the group of pictures
	Asked     *float64 `json:"asked"`
	Still     *float64 `json:"still"`
	First     *float64 `json:"first"`
	Edge      *float64 `json:"edge"`
	Transport string   `json:"transport"`
	Origin    float64  `json:"origin"`
	Began     float64  `json:"began"`
	Frames    []frame  `json:"frames"`
}

type frame struct {
	At     float64 `json:"at"`
	Time   float64 `json:"time"` // seconds on the transport's time line
	RTP    bool    `json:"rtp"`
	Width  int     `json:"width"`
	Count  int     `json:"count"`
	Number *int    `json:"number"`
}

func joins(ctx context.Context, b *bench) error {
	n := b.n
	if n == 0 {
		n = joinsPerRow
	}
	for _, gop := range []int{2, 10} {
		for _, sub := range []bool{true, false} {
			if err := joinsOf(ctx, b, gop, sub, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// joinsOf measures one camera with both ways out.
func joinsOf(ctx context.Context, b *bench, gop int, sub bool, n int) error {
	kind := map[bool]string{true: "sub", false: "mainonly"}[sub]
	var ways []string
	for _, way := range []string{"whep", "mse"} {
		if strings.Contains(fmt.Sprintf("%s_gop%d_%s", way, gop, kind), b.only) {
			ways = append(ways, way)
		}
	}
	if len(ways) == 0 {
		return nil
	}
	main, err := makeClip(ctx, b.clips, 720, gop, 1500)
	if err != nil {
		return err
	}
	clips := []string{main}
	if sub {
		small, err := makeClip(ctx, b.clips, 360, gop, 400)
		if err != nil {
			return err
		}
		clips = append(clips, small)
	}
	cam, err := startCamera(ctx, clips...)
	if err != nil {
		return err
	}
	defer cam.stop()
	s, err := startServer(ctx, b, fmt.Sprintf("gop%d-%s", gop, kind))
	if err != nil {
		return err
	}
	defer s.stop()
	id, err := s.addCamera(ctx, "bench", cam.main, cam.sub, true)
	if err != nil {
		return err
	}
	if err := pause(ctx, time.Duration(gop)*time.Second); err != nil { // a whole group is cached
		return err
	}
	for _, way := range ways {
		row := fmt.Sprintf("%s_gop%d_%s", way, gop, kind)
		say("join %s: %d joins, load %s", row, n, loadNow())
		ask := joinAsk{
			Browser: browser(), Base: s.base, Email: email, Password: password, Camera: id, Transport: way, GOP: gop, Joins: n, Patience: joinPatience,
			Began: float64(cam.began.UnixMicro()) / 1000, Bits: counterBits, Columns: columns, Lines: lines,
		}
		seen, err := drive(ctx, ask)
		if err != nil {
			return fmt.Errorf("%s: %w", row, err)
		}
		r := tally{way: way, camera: float64(cam.began.UnixMicro()) / 1000}
		for _, j := range seen {
			if j.Transport != way {
				return fmt.Errorf("%s: the app chose %s", row, j.Transport)
			}
			r.take(j)
		}
		r.report(b, row)
	}
	return nil
}

// drive runs join.mjs.
func drive(ctx context.Context, ask joinAsk) ([]join, error) {
	in, err := json.Marshal(ask)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "node", "bench/join.mjs")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w (node runs the browser)", err)
	}
	var all []join
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var j join
		if err := json.Unmarshal(lines.Bytes(), &j); err != nil {
			return nil, err
		}
		if f := os.Getenv("BENCH_RAW"); f != "" {
			if err := appendLine(f, lines.Bytes()); err != nil {
				return nil, err
			}
		}
		all = append(all, j)
	}
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("bench/join.mjs: %w", err)
	}
	return all, lines.Err()
}

func appendLine(file string, b []byte) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}
