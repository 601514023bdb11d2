package door

import (
	"context"

	"candor/internal/account"
	"candor/internal/clock"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/permit"
)

// Seconds is the second step of a sign-in.
type Seconds struct {
	Room     *account.Room
	Sessions Sessions
}

var _ httpapi.Seconds = Seconds{}

// Finish ends a sign-in whose password was right.
func (s Seconds) Finish(ctx context.Context, token, code string, c httpapi.Client) (httpapi.SignedIn, error) {
	in, err := s.Room.FinishSignIn(ctx, token, code, account.Client{Kind: c.Agent, Address: c.Address.String()})
	if err != nil {
		return httpapi.SignedIn{}, err
	}
	return s.Sessions.signedIn(ctx, in)
}

// State tells whether it is on.
func (s Seconds) State(ctx context.Context, p permit.Permit, a id.Account) (httpapi.SecondStep, error) {
	g, err := granted(p)
	if err != nil {
		return httpapi.SecondStep{}, err
	}
	got, err := s.Room.Second(ctx, g.Tenant, a)
	if err != nil || !got.On {
		return httpapi.SecondStep{}, err
	}
	return httpapi.SecondStep{On: true, Since: got.Since.String(), Recovery: got.Recovery}, nil
}

// Offer makes a key for the app.
func (s Seconds) Offer(ctx context.Context, p permit.Permit, a id.Account, password string) (httpapi.SecondOffer, error) {
	g, err := granted(p)
	if err != nil {
		return httpapi.SecondOffer{}, err
	}
	if err := s.Room.VerifyPassword(ctx, g.Tenant, a, password); err != nil {
		return httpapi.SecondOffer{}, err
	}
	f, err := s.Room.OfferSecond(ctx, p, g.Tenant, a)
	if err != nil {
		return httpapi.SecondOffer{}, err
	}
	return httpapi.SecondOffer{Key: f.Key, Address: f.Address, Until: httpapi.Moment(clock.At(f.Until))}, nil
}

// Confirm turns it on.
func (s Seconds) Confirm(ctx context.Context, p permit.Permit, a id.Account, code string) ([]string, error) {
	g, err := granted(p)
	if err != nil {
		return nil, err
	}
	return s.Room.ConfirmSecond(ctx, g.Tenant, a, code)
}

// Verify spends a code of somebody who is signed in.
func (s Seconds) Verify(ctx context.Context, p permit.Permit, a id.Account, code string) error {
	g, err := granted(p)
	if err != nil {
		return err
	}
	return s.Room.VerifyStep(ctx, g.Tenant, a, code)
}

// Drop turns it off.
func (s Seconds) Drop(ctx context.Context, p permit.Permit, a id.Account, password, code string) error {
	g, err := granted(p)
	if err != nil {
		return err
	}
	return s.Room.DropSecond(ctx, g.Tenant, a, password, code)
}
