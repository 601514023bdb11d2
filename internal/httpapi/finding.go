package httpapi

import (
	"context"
	"net/http"
	"time"

	"candor/internal/id"
	"candor/internal/permit"
)

// Finding finds cameras and their streams for somebody who does not know an address. It keeps nothing.
type Finding interface {
	// Discover asks the networks where cameras may be, for about three seconds.
	Discover(ctx context.Context, p permit.Permit, a id.Account) (Discovered, error)
	// Profiles asks one camera for its streams. A password is tried once.
	Profiles(ctx context.Context, p permit.Permit, l LookAt) (Profiles, error)
	// Brands are the makes whose usual addresses are known.
	Brands() []Brand
}

// Discovered is who answered.
type Discovered struct {
	Cameras  []DiscoveredCamera `json:"cameras" nullable:"false"`
	Networks []string           `json:"networks" nullable:"false" doc:"Where was asked; empty when this machine has no address in a network where cameras may be"`
}

// DiscoveredCamera is a camera in the network, as it describes itself.
type DiscoveredCamera struct {
	Service string `json:"service" doc:"Address of its ONVIF device service"`
	Host    string `json:"host"`
	Name    string `json:"name"`
	Model   string `json:"model"`
	Brand   string `json:"brand" doc:"Name of its make, where it can be told"`
	Added   bool   `json:"added" doc:"A camera of yours is at this host"`
	Demo    bool   `json:"demo" doc:"It is this program's demo camera"`
}

// LookAt says which camera to ask: by the address of its service, or by its host and, if it is known,
// its make.
type LookAt struct {
	Service  string `json:"service,omitempty" maxLength:"512" doc:"As discovery gave it"`
	Host     string `json:"host,omitempty" maxLength:"300" doc:"IPv4 address or name, with or without a port"`
	Brand    string `json:"brand,omitempty" maxLength:"32" doc:"Id of a make; its usual addresses are tried"`
	Username string `json:"username,omitempty" maxLength:"256"`
	Password string `json:"password,omitempty" maxLength:"256"`
}

// Profiles is what a camera says of itself. Its addresses carry no password.
type Profiles struct {
	Maker    string    `json:"maker"`
	Model    string    `json:"model"`
	Channels []Channel `json:"channels" nullable:"false" doc:"One for a camera, several for a recorder"`
	Warnings []Warning `json:"warnings" nullable:"false"`
}

// Channel is one picture that can be added as a camera.
type Channel struct {
	Name       string  `json:"name"`
	Address    string  `json:"address"`
	SubAddress string  `json:"sub_address"`
	Codec      string  `json:"codec" doc:"As the camera promises it; empty when it did not say"`
	Width      int     `json:"width"`
	Height     int     `json:"height"`
	FPS        float64 `json:"fps"`
}

// Brand is a make of cameras.
type Brand struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Username string `json:"username" doc:"The user name it comes with"`
	Paths    int    `json:"paths" doc:"How many addresses can be tried; with 0 the address must be looked up"`
	Noted    bool   `json:"-"`
	Note     string `json:"note" doc:"What to do before it streams"`
}

// How often one person may ask the networks or a camera: so many times at once, and one more each
// refill.
const (
	discoverBurst  = 6
	discoverRefill = 5 * time.Second
	profilesBurst  = 12
	profilesRefill = 5 * time.Second
)

func (a *API) finding() {
	operation(a, Route{Method: http.MethodPost, Path: "/api/v1/cameras/discover", ID: "discoverCameras", Summary: "Look for cameras in the local networks", Auth: Session, Action: permit.CameraAdd, Tag: "cameras"},
		func(ctx context.Context, _ *struct{ Body *struct{} }) (*struct{ Body Discovered }, error) {
			in := of(ctx)
			if err := a.throttle.try("discover "+in.caller.Account.String(), discoverBurst, discoverRefill); err != nil {
				return nil, err
			}
			got, err := a.deps.Finding.Discover(ctx, in.permit, in.caller.Account)
			if err != nil {
				return nil, err
			}
			got.Cameras, got.Networks = orEmpty(got.Cameras), orEmpty(got.Networks)
			return &struct{ Body Discovered }{got}, nil
		})

	operation(a, Route{Method: http.MethodPost, Path: "/api/v1/cameras/profiles", ID: "cameraProfiles", Summary: "Ask a camera for its streams", Auth: Session, Action: permit.CameraAdd, Tag: "cameras"},
		func(ctx context.Context, look *struct{ Body LookAt }) (*struct{ Body Profiles }, error) {
			in := of(ctx)
			if err := a.throttle.try("profiles "+in.caller.Account.String(), profilesBurst, profilesRefill); err != nil {
				return nil, err
			}
			got, err := a.deps.Finding.Profiles(ctx, in.permit, look.Body)
			if err != nil {
				return nil, err
			}
			got.Channels, got.Warnings = orEmpty(got.Channels), orEmpty(got.Warnings)
			for i, w := range got.Warnings {
				got.Warnings[i].Sentence = a.sentence(in, "problem."+w.Code, w.Args)
			}
			return &struct{ Body Profiles }{got}, nil
		})

	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/brands", ID: "listBrands", Summary: "Makes of cameras whose addresses are known", Auth: Session, Action: permit.CameraAdd, Tag: "cameras"},
		func(ctx context.Context, _ *none) (*struct {
			Body []Brand `nullable:"false"`
		}, error) {
			in := of(ctx)
			all := a.deps.Finding.Brands()
			for i, b := range all {
				if b.Name == "" {
					all[i].Name = a.sentence(in, "brand."+b.ID, nil)
				}
				if b.Noted {
					all[i].Note = a.sentence(in, "brand.note."+b.ID, nil)
				}
			}
			return &struct {
				Body []Brand `nullable:"false"`
			}{orEmpty(all)}, nil
		})
}
