package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"regexp"
	"time"
)

const (
	memberEmail = "guest.heron@smoke.example"
	memberName  = "Guest Heronsson"
)

// memberInvited lets somebody who has no account yet in to the live picture, lets them see more, and
// takes all of it back.
func memberInvited(ctx context.Context, s *server) (string, error) {
	var made struct {
		Token string
		Share struct{ ID string }
	}
	terms := map[string]any{"camera_id": s.camera, "abilities": []string{"live"}, "confirmed": true}
	if err := s.call(ctx, "POST", "/shares", terms, &made); err != nil {
		return "", fmt.Errorf("invite: %w", err)
	}
	if err := mustRefuse(s.call(ctx, "POST", "/invites/"+made.Token+"/accept", nil, nil), 403, 409, 422); err != nil {
		return "", fmt.Errorf("an invitation to oneself: %w", err)
	}
	m, err := s.signUp(ctx, made.Token)
	if err != nil {
		return "", fmt.Errorf("sign up: %w", err)
	}
	if err := m.call(ctx, "POST", "/invites/"+made.Token+"/accept", nil, nil); err != nil {
		return "", fmt.Errorf("accept: %w", err)
	}
	if err := m.opens(ctx, "/cameras/"+s.camera+"/still.jpg"); err != nil {
		return "", fmt.Errorf("the live picture: %w", err)
	}
	if err := mustRefuse(m.opens(ctx, s.moviePath()), 403, 404); err != nil {
		return "", fmt.Errorf("footage that was not shared: %w", err)
	}
	terms = map[string]any{"abilities": []string{"live", "playback"}, "history_from": s.recording.From}
	if err := s.call(ctx, "PUT", "/shares/"+made.Share.ID, terms, nil); err != nil {
		return "", fmt.Errorf("share more: %w", err)
	}
	if err := m.opens(ctx, s.moviePath()); err != nil {
		return "", fmt.Errorf("footage that is shared: %w", err)
	}
	if err := s.call(ctx, "DELETE", "/shares/"+made.Share.ID, nil, nil); err != nil {
		return "", fmt.Errorf("take it back: %w", err)
	}
	began := time.Now()
	for _, path := range []string{"/cameras/" + s.camera + "/still.jpg", s.moviePath()} {
		if err := mustRefuse(m.opens(ctx, path), 403, 404); err != nil {
			return "", fmt.Errorf("after it was taken back, %s: %w", path, err)
		}
	}
	return fmt.Sprintf("live only, then footage, then nothing after %s", time.Since(began).Round(time.Millisecond)), nil
}

func (s *server) opens(ctx context.Context, path string) error {
	res, err := s.get(ctx, path)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

var mailedCode = regexp.MustCompile(`\b\d{4} \d{4}\b`)

// signUp makes the member's account, with the code that the demo's outbox shows.
func (s *server) signUp(ctx context.Context, invitation string) (*server, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	m := *s
	m.client = &http.Client{Jar: jar, Timeout: s.client.Timeout}
	var asked struct{ Request string }
	if err := m.call(ctx, "POST", "/sign-up", map[string]any{"email": memberEmail, "language": "en", "invitation": invitation}, &asked); err != nil {
		return nil, err
	}
	code := ""
	err = until(ctx, func() error {
		var box struct{ Letters []struct{ To, Text string } }
		if err := s.call(ctx, "GET", "/outbox", nil, &box); err != nil {
			return err
		}
		for _, l := range box.Letters {
			if c := mailedCode.FindString(l.Text); l.To == memberEmail && c != "" {
				code = c
				return nil
			}
		}
		return errors.New("no letter with a code so far")
	})
	if err != nil {
		return nil, err
	}
	return &m, m.call(ctx, "POST", "/sign-up/confirm", map[string]any{
		"request": asked.Request, "email": memberEmail, "code": code, "name": memberName, "password": password, "language": "en", "time_zone": "Europe/Berlin",
	}, nil)
}
