package watch

import (
	"context"
	"strings"

	"candor/internal/passport"
	"candor/internal/promise/absent"
)

// Fields looks whether anything under which something is kept or taken has a name that was promised to be absent.
func Fields(names func(ctx context.Context) ([]string, error)) Probe {
	p := Probe{Name: "fields"}
	for _, one := range absent.Fields {
		p.Promises = append(p.Promises, one.Promise)
	}
	p.Look = func(ctx context.Context) (broken []Broken, err error) {
		all, err := names(ctx)
		if err != nil {
			return nil, err
		}
		for _, name := range all {
			for _, one := range absent.Fields {
				if w := one.In(name); w != "" {
					broken = append(broken, Broken{one.Promise, name + " looks like a field for " + w})
				}
			}
		}
		return broken, nil
	}
	return p
}

// Columns looks whether each column of the live database has exactly one passport.
func Columns(there func(ctx context.Context) ([]string, error), passports []passport.Passport) Probe {
	return Probe{Name: "columns", Promises: []string{"P296"}, Look: func(ctx context.Context) (broken []Broken, err error) {
		all, err := there(ctx)
		if err != nil {
			return nil, err
		}
		count := map[string]int{}
		for _, p := range passports {
			count[p.Where]++
		}
		for _, place := range all {
			if count[place] != 1 {
				broken = append(broken, Broken{"P296", place + " has no passport of its own"})
			}
		}
		return broken, nil
	}}
}

// Labels looks whether a metric has a label that its passport does not name.
func Labels(page func() (string, error), passports []passport.Passport) Probe {
	return Probe{Name: "labels", Promises: []string{"P185"}, Look: func(context.Context) (broken []Broken, err error) {
		text, err := page()
		if err != nil {
			return nil, err
		}
		allowed := map[string]string{}
		for _, p := range passports {
			if where, ok := strings.CutPrefix(p.Where, "metric:"); ok {
				name, labels, _ := strings.Cut(strings.TrimSuffix(where, "}"), "{")
				allowed[name] = "," + labels + ",le,quantile,"
			}
		}
		for line := range strings.Lines(text) {
			name, rest, labelled := strings.Cut(line, "{")
			if !labelled || !strings.HasPrefix(name, "candor_") {
				continue
			}
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				if _, known := allowed[name]; !known {
					name = strings.TrimSuffix(name, suffix)
				}
			}
			labels, _, _ := strings.Cut(rest, "}")
			for pair := range strings.SplitSeq(labels, ",") {
				label, _, _ := strings.Cut(pair, "=")
				if label != "" && !strings.Contains(allowed[name], ","+label+",") {
					broken = append(broken, Broken{"P185", name + " has the label " + label})
				}
			}
		}
		return broken, nil
	}}
}
