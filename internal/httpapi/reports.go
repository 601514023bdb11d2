package httpapi

import (
	"context"
	"net/http"

	"candor/internal/id"
	"candor/internal/permit"
)

// Reports are what is kept of a camera's connection, where its owner agreed (purpose diagnostics).
type Reports interface {
	// List lists the changes of the last week, newest first.
	List(ctx context.Context, p permit.Permit, b id.Binding) ([]Report, error)
}

// Report is a change of a camera's connection.
type Report struct {
	At       Moment `json:"at"`
	Reached  bool   `json:"reached"`
	Code     string `json:"code,omitempty" doc:"Why it was not reached"`
	Sentence string `json:"sentence,omitempty"`
}

func (a *API) reports() {
	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/cameras/{id}/reports", ID: "listReports", Summary: "When the camera was reached in the last week, and why not", Auth: Session, Action: permit.CameraReports, Tag: "cameras"},
		func(ctx context.Context, _ *cameraPath) (*struct {
			Body []Report `nullable:"false"`
		}, error) {
			in := of(ctx)
			all, err := a.deps.Reports.List(ctx, in.permit, in.binding)
			for i := range all {
				if all[i].Code != "" {
					all[i].Sentence = a.deps.Words(in.lang, "problem."+all[i].Code, nil)
				}
			}
			return &struct {
				Body []Report `nullable:"false"`
			}{orEmpty(all)}, err
		})
}
