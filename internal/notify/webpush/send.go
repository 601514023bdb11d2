package webpush

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	vapid "github.com/SherClockHolmes/webpush-go"
)

// Message is one text for one browser.
type Message struct {
	Payload []byte
	Topic   string        // a newer message of the same topic replaces one that still waits; at most 32 of [A-Za-z0-9_-]
	TTL     time.Duration // how long the service may keep it for a browser that is away
	Urgent  bool
}

// Outcome is what became of a message.
type Outcome string

// The outcomes.
const (
	Handed   Outcome = "handed"   // the push service has it
	Gone     Outcome = "gone"     // the subscription is over: drop it
	Refused  Outcome = "refused"  // the service will not take it, now or later
	TryLater Outcome = "deferred" // the service is busy, down or not to be reached
)

// Answer is what a push service said.
type Answer struct {
	Outcome Outcome
	Status  int           // of HTTP; 0 when there was none
	After   time.Duration // how long the service asks to wait; 0: it did not say
	Err     error         // for the log; it names no address
}

// longest is the largest payload that one record holds beside its header, padding mark and tag
// (RFC 8291, section 4: 4096 bytes in all).
const longest = 3993

// longestAfter bounds what a service may ask us to wait.
const longestAfter = time.Hour

// Sender sends. Fill the fields and use it.
type Sender struct {
	Identity Identity
	Services Services
	Client   *http.Client // from package egress; redirects are not followed
	Contact  string       // whom a push service may write to: an e-mail address or an https address
	Patience time.Duration
}

// Send encrypts a message for a subscription and hands it to its push service.
func (s *Sender) Send(ctx context.Context, to Subscription, m Message) Answer {
	if err := s.Services.Check(to.Endpoint); err != nil { // the operator may have taken a service off the list
		return Answer{Outcome: Refused, Err: err}
	}
	if len(m.Payload) > longest {
		return Answer{Outcome: Refused, Err: fmt.Errorf("a message of %d bytes", len(m.Payload))}
	}
	ctx, cancel := context.WithTimeout(ctx, s.Patience)
	defer cancel()
	urgency := vapid.UrgencyNormal
	if m.Urgent {
		urgency = vapid.UrgencyHigh
	}
	response, err := vapid.SendNotificationWithContext(ctx, m.Payload, &vapid.Subscription{
		Endpoint: to.Endpoint, Keys: vapid.Keys{P256dh: to.P256dh, Auth: to.Auth},
	}, &vapid.Options{
		HTTPClient: s.Client, Subscriber: s.Contact, Topic: m.Topic, TTL: int(m.TTL / time.Second), Urgency: urgency,
		VAPIDPublicKey: s.Identity.Public, VAPIDPrivateKey: s.Identity.private,
	})
	if err != nil {
		return Answer{Outcome: TryLater, Err: unnamed(err)}
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 4<<10)) // so that the connection can be used again
	return answer(response)
}

func answer(r *http.Response) Answer {
	a := Answer{Status: r.StatusCode}
	switch {
	case r.StatusCode >= 200 && r.StatusCode < 300:
		a.Outcome = Handed
	case r.StatusCode == http.StatusNotFound || r.StatusCode == http.StatusGone:
		a.Outcome = Gone
	case r.StatusCode == http.StatusTooManyRequests || r.StatusCode == http.StatusRequestTimeout || r.StatusCode >= 500:
		a.Outcome = TryLater
		if n, err := strconv.Atoi(r.Header.Get("Retry-After")); err == nil && n > 0 {
			a.After = min(time.Duration(n)*time.Second, longestAfter)
		}
	default:
		a.Outcome = Refused
	}
	if a.Outcome != Handed {
		a.Err = fmt.Errorf("the push service answers %d", r.StatusCode)
	}
	return a
}

// unnamed takes the address out of a client's error: it is somebody's.
func unnamed(err error) error {
	var at interface{ Unwrap() error }
	if errors.As(err, &at) {
		if inner := at.Unwrap(); inner != nil {
			return inner
		}
	}
	return err
}
