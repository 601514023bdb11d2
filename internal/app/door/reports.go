package door

import (
	"context"

	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/report"
)

// Reports shows what is kept of a camera's connection.
type Reports struct{ Room *report.Room }

var _ httpapi.Reports = Reports{}

// List lists the changes of the last week.
func (x Reports) List(ctx context.Context, p permit.Permit, b id.Binding) ([]httpapi.Report, error) {
	g, err := granted(p)
	if err != nil {
		return nil, err
	}
	all, err := x.Room.List(ctx, p, report.Camera{Tenant: g.Tenant, Account: id.Account(g.Subject), Binding: b})
	out := make([]httpapi.Report, 0, len(all))
	for _, one := range all {
		out = append(out, httpapi.Report{At: httpapi.Moment(one.At), Reached: one.Reached, Code: one.Code})
	}
	return out, err
}
