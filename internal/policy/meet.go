package policy

import (
	"slices"

	"candor/internal/passport"
)

// Meet is what a build that keeps one version may do for somebody who agreed to an older one: what
// both allow, for as long as both allow it, with every right that either gives. Its text, its number
// and its hash are those of the agreed version.
func Meet(agreed, kept *Policy) *Policy {
	if agreed.hash == kept.hash {
		return kept
	}
	p := *agreed
	p.Controller, p.Contact = kept.Controller, kept.Contact
	p.Purposes = nil
	for _, u := range kept.Purposes {
		if was, ok := agreed.Purpose(u.ID); ok {
			u.Basis = was.Basis
			u.Categories = common(u.Categories, was.Categories)
			p.Purposes = append(p.Purposes, u)
		}
	}
	p.Categories = nil
	for _, c := range kept.Categories {
		if was, ok := agreed.Category(c.ID); ok {
			c.Sealed = c.Sealed || was.Sealed
			p.Categories = append(p.Categories, c)
		}
	}
	p.Retention = nil
	for _, l := range kept.Retention {
		if was, ok := agreed.Lifetime(l.Category); ok {
			p.Retention = append(p.Retention, shorter(was, l))
		}
	}
	p.Recipients = nil
	for _, r := range kept.Recipients {
		was, ok := agreed.Recipient(r.ID)
		if !ok || was.Purpose != r.Purpose || was.Region != r.Region {
			continue
		}
		r.Fields, r.Categories, r.People = common(r.Fields, was.Fields), common(r.Categories, was.Categories), r.People && was.People
		p.Recipients = append(p.Recipients, r)
	}
	p.Prohibited = append(slices.Clone(kept.Prohibited), slices.DeleteFunc(slices.Clone(agreed.Prohibited), func(no Prohibited) bool {
		return slices.ContainsFunc(kept.Prohibited, func(k Prohibited) bool { return k.ID == no.ID })
	})...)
	p.Absent = append(slices.Clone(kept.Absent), beyond(agreed.Absent, kept.Absent)...)
	p.Rights = slices.Clone(kept.Rights)
	for _, r := range agreed.Rights {
		switch at := slices.IndexFunc(p.Rights, func(k Right) bool { return k.ID == r.ID }); {
		case at < 0:
			p.Rights = append(p.Rights, r)
		case r.Self():
			p.Rights[at].By = r.By
		}
	}
	p.BackupDays, p.RequestDays = min(agreed.BackupDays, kept.BackupDays), min(agreed.RequestDays, kept.RequestDays)
	p.ReceiptDays = max(agreed.ReceiptDays, kept.ReceiptDays)
	p.Regions = kept.Regions
	return &p
}

func common[T comparable](list, other []T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(x T) bool { return !slices.Contains(other, x) })
}

// shorter is the stay that ends first.
func shorter(was, is Lifetime) Lifetime {
	if longer(&was, &is) {
		is.Days, is.Until = was.Days, was.Until
	}
	is.Default = min(is.Default, was.Default)
	return is
}

// Suspended are the purposes that are off, or only as wide as they were, until somebody who agreed
// to one version agrees to the other.
func Suspended(agreed, kept *Policy) []passport.Purpose {
	var all []passport.Purpose
	for _, c := range Diff(agreed, kept) {
		all = append(all, beyond(c.Suspends, all)...)
	}
	return all
}
