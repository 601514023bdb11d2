package main

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	exportRuns = 7
	exportFilm = 75 * time.Second
	exportKbit = 12_000
)

// exports measures how fast a copy of everything streams, beside zip(1) storing the same files from
// the disk, in turns. The copy is opened from its seals on the way; zip computes the sums.
func exports(ctx context.Context, b *bench) error {
	clip, err := makeClip(ctx, b.clips, 1080, 1, exportKbit)
	if err != nil {
		return err
	}
	cam, err := startCamera(ctx, clip)
	if err != nil {
		return err
	}
	defer cam.stop()
	s, err := startServer(ctx, b, "export")
	if err != nil {
		return err
	}
	defer s.stop()
	camera, err := s.addCamera(ctx, "Door", cam.main, "", true)
	if err != nil {
		return err
	}
	say("export: recording %s", exportFilm)
	if err := pause(ctx, exportFilm); err != nil {
		return err
	}
	if err := s.call(ctx, "PATCH", "/cameras/"+camera, map[string]any{"recording_mode": "paused"}, nil); err != nil {
		return err
	}
	link, prepared, err := s.copyOfAll(ctx)
	if err != nil {
		return err
	}
	whole := filepath.Join(b.dir, "copy.zip")
	if _, _, err := s.fetch(ctx, link, whole); err != nil {
		return err
	}
	files := filepath.Join(b.dir, "files")
	if err := unpack(whole, files); err != nil {
		return err
	}
	runs := b.n
	if runs == 0 {
		runs = exportRuns
	}
	var ours, peers, ratio []float64
	size := int64(0)
	for range runs {
		n, took, err := s.fetch(ctx, link, os.DevNull)
		if err != nil {
			return err
		}
		size = n
		began := time.Now()
		cmd := exec.CommandContext(ctx, "zip", "-0", "-q", "-r", "-", ".")
		cmd.Dir = files
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("zip: %w", err)
		}
		other := time.Since(began)
		mb := float64(n) / 1e6
		ours, peers, ratio = append(ours, mb/took.Seconds()), append(peers, mb/other.Seconds()), append(ratio, other.Seconds()/took.Seconds())
	}
	b.add(
		one("export_size_mb", "MB", float64(size)/1e6), one("export_prepared_ms", "ms", milli(prepared)),
		of("export_stream_mb_per_s", "MB/s", 0.5, ours), of("export_zip_mb_per_s", "MB/s", 0.5, peers), of("export_to_zip", "ratio", 0.5, ratio),
	)
	return nil
}

// copyOfAll asks for a copy and waits until it can be fetched.
func (s *server) copyOfAll(ctx context.Context) (link string, took time.Duration, err error) {
	var e struct{ ID, State, Link string }
	began := time.Now()
	if err := s.call(ctx, "POST", "/privacy/exports", map[string]any{"password": password}, &e); err != nil {
		return "", 0, err
	}
	_, link, _ = strings.Cut(e.Link, "api/v1")
	for e.State != "ready" {
		if e.State == "ended" || time.Since(began) > time.Minute {
			return "", 0, fmt.Errorf("the copy is %s", e.State)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return "", 0, err
		}
		if err := s.call(ctx, "GET", "/privacy/exports/"+e.ID, nil, &e); err != nil {
			return "", 0, err
		}
	}
	return link, time.Since(began), nil
}

// fetch downloads into a file and tells how much and how long.
func (s *server) fetch(ctx context.Context, path, file string) (int64, time.Duration, error) {
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return 0, 0, err
	}
	req, err := http.NewRequestWithContext(ctx, "GET", s.base+"/api/v1"+path, nil)
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	res, err := s.client.Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer res.Body.Close()
	n, err := io.Copy(out, res.Body)
	if err = errors.Join(err, out.Close()); err != nil {
		return 0, 0, err
	}
	if res.StatusCode != http.StatusOK || n != res.ContentLength {
		return 0, 0, fmt.Errorf("%s: %d, %d of %d bytes", path, res.StatusCode, n, res.ContentLength)
	}
	return n, time.Since(began), nil
}

func unpack(file, dir string) error {
	z, err := zip.OpenReader(file)
	if err != nil {
		return err
	}
	defer z.Close()
	return os.CopyFS(dir, z)
}
