package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"time"
)

// movement is how long an event is waited for. A clip in which nothing moves has none.
const movement = 25 * time.Second

func (s *server) hash(ctx context.Context, purpose string) (string, error) {
	var purposes []struct{ ID, Hash string }
	if err := s.call(ctx, "GET", "/purposes", nil, &purposes); err != nil {
		return "", err
	}
	for _, p := range purposes {
		if p.ID == purpose {
			return p.Hash, nil
		}
	}
	return "", fmt.Errorf("no purpose called %s", purpose)
}

// allowMotion says yes to looking for movement.
func allowMotion(ctx context.Context, s *server) (string, error) {
	hash, err := s.hash(ctx, "motion")
	if err != nil {
		return "", err
	}
	if err := s.call(ctx, "PUT", "/cameras/"+s.camera+"/consents/motion", map[string]any{"state": "given", "text_hash": hash}, nil); err != nil {
		return "", err
	}
	return "nothing was looked at before", s.call(ctx, "PATCH", "/cameras/"+s.camera+"/motion", map[string]any{"on": true}, nil)
}

// messagesChosen listens for messages in the app, which nobody gets before they are chosen.
func messagesChosen(ctx context.Context, s *server) (string, error) {
	if err := s.call(ctx, "PUT", "/cameras/"+s.camera+"/alerts", map[string]any{"kind": "motion", "app": true, "push": false, "mail": false, "pictures": false}, nil); err != nil {
		return "", err
	}
	endless := *s
	endless.client = &http.Client{Jar: s.client.Jar}
	res, err := endless.get(ctx, "/events")
	if err != nil {
		return "", err
	}
	s.notice = make(chan time.Time, 1)
	go func() {
		defer res.Body.Close()
		lines := bufio.NewScanner(res.Body)
		for lines.Scan() {
			if lines.Text() == "event: notice" {
				s.notice <- time.Now()
				return
			}
		}
	}()
	return "in the app, text only", nil
}

// eventSeen waits for an event and the message about it. Without one it says so and goes on: the clip
// may be still.
func eventSeen(ctx context.Context, s *server) (string, error) {
	wait, cancel := context.WithTimeout(ctx, movement)
	defer cancel()
	var list struct {
		Events []struct {
			Kind  string
			State string
			Start time.Time
		}
	}
	err := until(wait, func() error {
		if err := s.call(wait, "GET", "/events/history", nil, &list); err != nil {
			return err
		}
		if len(list.Events) == 0 {
			return errors.New("no event so far")
		}
		return nil
	})
	if ctx.Err() == nil && wait.Err() != nil {
		return "nothing moved in this clip; going on", nil
	}
	if err != nil {
		return "", err
	}
	first := list.Events[len(list.Events)-1]
	select {
	case at := <-s.notice:
		return fmt.Sprintf("%d, the first %s; its message came %s after its start", len(list.Events), first.Kind, at.Sub(first.Start).Round(10*time.Millisecond)), nil
	case <-time.After(5 * time.Second):
		return "", fmt.Errorf("an event of %s, and no message about it", first.Start.Format(time.TimeOnly))
	}
}

// clipShared gives a clip to whoever holds a link, has somebody without an account look, and takes it
// back.
func clipShared(ctx context.Context, s *server) (string, error) {
	var made struct {
		Token string
		Share struct{ ID string }
	}
	err := s.call(ctx, "POST", "/links", map[string]any{
		"camera_id": s.camera, "from": s.recording.From, "to": s.recording.From.Add(wanted), "confirmed": true,
	}, &made)
	if err != nil {
		return "", err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return "", err
	}
	stranger := *s
	stranger.client = &http.Client{Jar: jar, Timeout: s.client.Timeout}
	if err := stranger.call(ctx, "POST", "/links/"+made.Token+"/open", map[string]any{}, nil); err != nil {
		return "", fmt.Errorf("open the link: %w", err)
	}
	clip := "/link/" + made.Share.ID + "/clip.mp4"
	res, err := stranger.get(ctx, clip)
	if err != nil {
		return "", fmt.Errorf("the clip: %w", err)
	}
	b, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil || len(b) < 10_000 {
		return "", fmt.Errorf("the clip has %d bytes: %w", len(b), err)
	}
	if err := mustRefuse(stranger.call(ctx, "GET", "/cameras", nil, nil), 401); err != nil {
		return "", fmt.Errorf("a link is no account: %w", err)
	}
	if err := s.call(ctx, "DELETE", "/shares/"+made.Share.ID, nil, nil); err != nil {
		return "", fmt.Errorf("take it back: %w", err)
	}
	began := time.Now()
	if _, err := stranger.get(ctx, clip); err == nil {
		return "", errors.New("the clip still opens after it was taken back")
	} else if err := mustRefuse(err, 410); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d kB without an account, then 410 after %s", len(b)/1000, time.Since(began).Round(time.Millisecond)), nil
}

// takenAway makes a copy of everything and reads it.
func takenAway(ctx context.Context, s *server) (string, error) {
	var e struct{ ID, State, Link string }
	if err := s.call(ctx, "POST", "/privacy/exports", map[string]any{"password": password}, &e); err != nil {
		return "", err
	}
	link := e.Link
	err := until(ctx, func() error {
		if err := s.call(ctx, "GET", "/privacy/exports/"+e.ID, nil, &e); err != nil {
			return err
		}
		if e.State != "ready" {
			return fmt.Errorf("the copy is %s", e.State)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	_, path, _ := strings.Cut(link, "api/v1")
	res, err := s.get(ctx, path)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return "", err
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return "", fmt.Errorf("the copy is no zip: %w", err)
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			return "", err
		}
		if _, err = io.Copy(io.Discard, r); err != nil { // the checksum is compared at the end
			return "", fmt.Errorf("%s in the copy: %w", f.Name, err)
		}
		r.Close()
	}
	return fmt.Sprintf("%d kB, %d files whole", len(b)/1000, len(z.File)), nil
}
