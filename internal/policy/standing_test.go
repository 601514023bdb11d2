package policy_test

import (
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"candor/internal/passport"
	"candor/internal/policy"
	"candor/internal/promise"
)

// following is a history of two versions: this build's, and one with the edits that takes effect on 15 December.
func following(t *testing.T, m fstest.MapFS) *policy.History {
	t.Helper()
	m["archive/1.json"] = &fstest.MapFile{Data: built(t).Pack()}
	h, err := policy.LoadHistory(m)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

var (
	before = time.Date(2026, 12, 14, 12, 0, 0, 0, time.UTC)
	after  = time.Date(2026, 12, 15, 12, 0, 0, 0, time.UTC)
)

// A person stays under the version they accepted, with its rules and its words, until they accept another.
func TestAPersonStaysUnderTheVersionTheyAccepted(t *testing.T) {
	promise.Proves(t, "P326")
	h := following(t, next(t, [3]string{"retention.yaml", "days: 90", "days: 120"}))
	first, second := h.Versions()[1], h.Versions()[0]
	for name, c := range map[string]struct {
		agreed []string
		now    time.Time
		under  *policy.Policy
	}{
		"joined under the first":              {[]string{first.Hash()}, after, first},
		"was here before answers were kept":   {nil, after, first},
		"agreed to the second":                {[]string{second.Hash(), first.Hash()}, after, second},
		"agreed to it before it is in effect": {[]string{second.Hash(), first.Hash()}, before, first},
		"agreed to one that is not ours":      {[]string{"0000"}, after, first},
		"joined under the second":             {[]string{second.Hash()}, after, second},
	} {
		s := h.Standing(c.agreed, c.now)
		if s.Under != c.under || s.Hash() != c.under.Hash() {
			t.Errorf("%s: under version %d", name, s.Under.Version)
		}
		stay, _ := s.Lifetime("event")
		if want := map[*policy.Policy]int{first: 90, second: 120}[c.under]; stay.Days != want {
			t.Errorf("%s: events stay %d days, want %d", name, stay.Days, want)
		}
		waits, comes := c.under == first && c.now == after, c.now == before
		if (s.Waiting != nil) != waits || (s.Coming != nil) != comes {
			t.Errorf("%s: waiting %v, coming %v", name, s.Waiting, s.Coming)
		}
		if waits && (len(s.Waiting.Changes) != 1 || s.Waiting.Changes[0].Name != "retention.event" || !slices.Contains(s.Waiting.Suspended, "motion")) {
			t.Errorf("%s: waiting %+v", name, s.Waiting)
		}
	}
}

// A material change turns nothing on before the person agreed: no new purpose, no wider one, no new recipient.
func TestAMaterialChangeTurnsNothingOnByItself(t *testing.T) {
	promise.Proves(t, "P327")
	m := named(t, next(t, [3]string{"purposes.yaml", "purposes:\n", newPurpose},
		[3]string{"purposes.yaml", "categories: [device, technical]", "categories: [device, identity, technical]"}), "purposes", "analytics")
	h := following(t, m)
	first, second := h.Versions()[1], h.Versions()[0]
	old, agreed := h.Standing([]string{first.Hash()}, after), h.Standing([]string{second.Hash()}, after)
	if _, on := old.Purpose("analytics"); on {
		t.Error("a new purpose is on without a yes")
	}
	if d, _ := old.Purpose("diagnostics"); slices.Contains(d.Categories, passport.Identity) {
		t.Error("a purpose is wider without a yes")
	}
	if _, on := agreed.Purpose("analytics"); !on {
		t.Error("a new purpose is off after a yes")
	}
	if d, _ := agreed.Purpose("diagnostics"); !slices.Contains(d.Categories, passport.Identity) {
		t.Error("a purpose is as narrow as before after a yes")
	}

	h = following(t, next(t, [3]string{"recipients.yaml", "fields: [", "fields: [account.number, "}))
	first = h.Versions()[1]
	old = h.Standing([]string{first.Hash()}, after)
	if len(old.Waiting.Suspended) == 0 {
		t.Fatalf("a recipient of more fields suspends nothing: %+v", old.Waiting)
	}
	for _, u := range old.Waiting.Suspended {
		if p, on := old.Purpose(u); on && p.Basis != passport.Obligation {
			t.Errorf("%s is on, and somebody would receive more than was agreed to", u)
		}
		if _, on := first.Purpose(u); !on {
			t.Errorf("%s was not there before", u)
		}
	}
}

// What cannot differ from person to person is the best that any version promised: a longer wait, though
// named as a cut, holds for nobody while somebody may stand under the shorter one.
func TestSharedSpansAreTheBestThatWasPromised(t *testing.T) {
	h := following(t, next(t, [3]string{"retention.yaml", "backup_days: 30", "backup_days: 60"}, [3]string{"retention.yaml", "receipt_days: 30", "receipt_days: 45"},
		[3]string{"policy.yaml", "cuts: []", "cuts: [backup_days]"}))
	if p := h.Governing(after); p.BackupDays != 30 || p.ReceiptDays != 45 || p.RequestDays != built(t).RequestDays {
		t.Errorf("copies stay %d days, receipts %d, answers come within %d", p.BackupDays, p.ReceiptDays, p.RequestDays)
	}
}

// A change that is not material takes its place by itself: nobody is asked, and what was agreed to in
// the former words stays agreed to.
func TestAMinorChangeAsksNobody(t *testing.T) {
	promise.Proves(t, "P330")
	h := following(t, next(t, [3]string{"texts/en/consent/recording.yaml", "May this camera record?", "May this camera keep what it sees?"}))
	first, second := h.Versions()[1], h.Versions()[0]
	s := h.Standing([]string{first.Hash()}, after)
	if s.Under != second || s.Waiting != nil {
		t.Errorf("under version %d, waiting %+v", s.Under.Version, s.Waiting)
	}
	was, _ := first.Consent(passport.Recording, "en")
	is, _ := second.Consent(passport.Recording, "en")
	if was.Hash == is.Hash || !s.Asked(passport.Recording, was.Hash) || !s.Asked(passport.Recording, is.Hash) || s.Asked(passport.Motion, was.Hash) || s.Asked(passport.Recording, "") {
		t.Error("what was agreed to in the former words does not hold, or more does")
	}
	if early := h.Standing([]string{first.Hash()}, before); early.Under != first || early.Coming == nil || len(early.Coming.Changes) != 0 {
		t.Errorf("before its day: under version %d, coming %+v", early.Under.Version, early.Coming)
	}
}
