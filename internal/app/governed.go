package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"candor/internal/config"
	"candor/internal/consent"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/policy"
)

// governed reads what is obeyed from this start on. A version that takes effect later is obeyed from the
// next start after that day; until then it can be read.
func (h *house) governed() error {
	var err error
	if h.history, h.policy, err = obeyed(h.config, h.clock.Now()); err != nil {
		return err
	}
	return fits(h.config, h.policy)
}

// obeyed is the policy that the settings name, and what of it holds on the day of now.
func obeyed(c config.Config, now time.Time) (*policy.History, *policy.Policy, error) {
	history, err := History(c.Policy.Folder)
	if err != nil {
		return nil, nil, fmt.Errorf("read the policy: %w", err)
	}
	if err := KeepsAll(history); err != nil {
		return nil, nil, fmt.Errorf("this build cannot keep the policy: %w", err)
	}
	return history, history.Governing(now), nil
}

// History is the policy in a folder with its older versions, or that of this build for "".
func History(folder string) (*policy.History, error) {
	if folder == "" {
		return policy.BuiltHistory()
	}
	return policy.LoadHistory(os.DirFS(folder))
}

// fits reports a setting that the policy does not allow.
func fits(c config.Config, p *policy.Policy) error {
	if l, ok := p.Lifetime(passport.Footage); ok && l.Days > 0 && c.Recording.Days > l.Days {
		return fmt.Errorf("recording.days: %d is more than the %d days that the policy allows", c.Recording.Days, l.Days)
	}
	return nil
}

// Keeps reports why this build cannot keep a policy: it has something to store, send, log or count
// that the policy does not allow.
func Keeps(p *policy.Policy) error {
	var errs []error
	for _, one := range Passports() {
		errs = append(errs, p.Judge(one))
	}
	return errors.Join(errs...)
}

// KeepsAll reports why this build cannot keep the newest version for those who agreed to it, and each older
// one for those who did not go along.
func KeepsAll(h *policy.History) error {
	newest := h.Newest()
	errs := []error{Keeps(newest)}
	for _, agreed := range h.Versions()[1:] {
		if err := keepsBeside(agreed, newest); err != nil {
			errs = append(errs, fmt.Errorf("for who agreed to version %d: %w", agreed.Version, err))
		}
	}
	return errors.Join(errs...)
}

// keepsBeside judges what is still done for somebody who agreed to an older version. What is done for
// purposes, or with categories, that it does not have is refused by the gate.
func keepsBeside(agreed, newest *policy.Policy) error {
	both := policy.Meet(agreed, newest)
	var errs []error
	for _, one := range Passports() {
		one.Purposes = slices.DeleteFunc(slices.Clone(one.Purposes), func(u passport.Purpose) bool {
			found, ok := both.Purpose(u)
			return !ok || !slices.Contains(found.Categories, one.Category)
		})
		if len(one.Purposes) > 0 {
			errs = append(errs, both.Judge(one))
		}
	}
	return errors.Join(errs...)
}

// allHere refuses a policy without a version that somebody agreed to: what they agreed to could neither
// be read nor kept.
func allHere(ctx context.Context, v *consent.Versions) error {
	gone, err := v.Strangers(ctx)
	if err != nil || len(gone) == 0 {
		return err
	}
	return fmt.Errorf("people here agreed to versions of the policy that its source does not hold: sha256 %s. "+
		"Put them back into archive/ (see guide/policy.md); a version that was published is never changed", strings.Join(gone, ", "))
}

// atMost is how many days something of a camera may stay: as many as were chosen, and no more than the
// policy allows that the camera's owner stands under. 0 is no limit.
func (h *house) atMost(ctx context.Context, t id.Tenant, b id.Binding, c passport.Category, chosen int) (int, error) {
	holds := h.policy
	owner, err := h.devices.Owner(ctx, t, b)
	if err != nil {
		return 0, err
	}
	if !owner.IsZero() {
		st, _, err := h.versions.Standing(ctx, t, id.SubjectOf(owner))
		if err != nil {
			return 0, err
		}
		holds = st.Policy
	}
	most := 0
	if l, ok := holds.Lifetime(c); ok {
		most = l.Days
	}
	if chosen > 0 && (most == 0 || chosen < most) {
		return chosen, nil
	}
	return most, nil
}

// maxDays is the longest that footage may stay under the policy.
func (h *house) maxDays() int {
	if l, ok := h.policy.Lifetime(passport.Footage); ok && l.Days > 0 {
		return l.Days
	}
	return h.config.Recording.Days
}
