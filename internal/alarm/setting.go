package alarm

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"

	"github.com/uptrace/bun"

	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/seal"
)

// The grid that lies over a picture. A cell is looked at or left out.
const (
	Columns = 16
	Rows    = 9
)

// Mask marks cells that are left out, row by row from the top left, the first cell in the highest bit.
type Mask [Columns * Rows / 8]byte

// Left reports whether a cell is left out.
func (m Mask) Left(column, row int) bool {
	i := row*Columns + column
	return m[i/8]&(0x80>>(i%8)) != 0
}

// String is the mask as 36 hexadecimal digits.
func (m Mask) String() string { return hex.EncodeToString(m[:]) }

// ParseMask reads what String wrote; empty leaves nothing out.
func ParseMask(s string) (m Mask, err error) {
	if s == "" {
		return m, nil
	}
	if len(s) != 2*len(m) {
		return m, problem.Invalid("alarm.mask")
	}
	if _, err := hex.Decode(m[:], []byte(s)); err != nil {
		return m, problem.Invalid("alarm.mask")
	}
	return m, nil
}

// Setting is what an owner set for looking at a camera.
type Setting struct {
	On          bool // the switch; whether the owner agreed is the gate's business
	Sensitivity int  // 1 to 5
	Out         Mask // what is left out
}

// Usual holds for a camera nobody has set anything for.
var Usual = Setting{On: true, Sensitivity: 3}

func (s Setting) check() error {
	if s.Sensitivity < 1 || s.Sensitivity > 5 {
		return problem.Invalid("alarm.sensitivity")
	}
	if s.Out == (Mask{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}) {
		return problem.Invalid("alarm.mask_all")
	}
	return nil
}

// cameraRow is one row of alarm_camera.
type cameraRow struct {
	bun.BaseModel `bun:"table:alarm_camera"`

	Tenant  id.Tenant  `bun:"tenant_id,pk"`
	Binding id.Binding `bun:"binding_id,pk"`
	Subject id.Subject `bun:"subject_id"`
	Watched int64      `bun:"watched"`
	Details seal.Value `bun:"details"`
}

// settingDetails is the sealed part.
type settingDetails struct {
	Sensitivity int    `json:"sensitivity"`
	Out         string `json:"out,omitempty"`
}

func settingPlace(c Camera) seal.Place {
	return seal.Place{
		Tenant: c.Tenant, Subject: c.Subject, Binding: c.Binding, Passport: settingPassport, Category: passport.DeviceData, Row: id.RowOf(c.Binding),
	}
}

// On reports whether looking at a camera is switched on.
func (r *Room) On(ctx context.Context, t id.Tenant, b id.Binding) (bool, error) {
	w, ok, err := r.cameraRow(ctx, t, b)
	if !ok {
		return Usual.On, err
	}
	return w.Watched != 0, nil
}

func (r *Room) cameraRow(ctx context.Context, t id.Tenant, b id.Binding) (*cameraRow, bool, error) {
	w := new(cameraRow)
	err := r.DB.Read.NewSelect().Model(w).Where("tenant_id = ? AND binding_id = ?", t, b).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	return w, err == nil, err
}

// Setting opens what is set for the permit's camera.
func (r *Room) Setting(ctx context.Context, p permit.Permit) (Setting, error) {
	g, ok := p.Grant()
	if !ok || g.Binding.IsZero() {
		return Setting{}, permit.ErrNone
	}
	w, ok, err := r.cameraRow(ctx, g.Tenant, g.Binding)
	if err != nil || !ok {
		return Usual, err
	}
	return r.setting(ctx, p, w)
}

func (r *Room) setting(ctx context.Context, p permit.Permit, w *cameraRow) (Setting, error) {
	plain, err := r.Keys.OpenAll(ctx, p, []seal.Sealed{{Place: settingPlace(Camera{w.Tenant, w.Subject, w.Binding}), Value: w.Details}})
	if err != nil {
		return Setting{}, err
	}
	var d settingDetails
	if err := json.Unmarshal(plain[0], &d); err != nil {
		return Setting{}, errors.Join(errDetails, err)
	}
	out, err := ParseMask(d.Out)
	return Setting{On: w.Watched != 0, Sensitivity: d.Sensitivity, Out: out}, err
}

// Set keeps what an owner set for the permit's camera. Whoever watches it is told by the caller.
func (r *Room) Set(ctx context.Context, p permit.Permit, s Setting) error {
	g, ok := p.Grant()
	if !ok || g.Binding.IsZero() || g.Action != permit.CameraChange {
		return permit.ErrOther
	}
	if err := s.check(); err != nil {
		return err
	}
	d := settingDetails{Sensitivity: s.Sensitivity}
	if s.Out != (Mask{}) {
		d.Out = s.Out.String()
	}
	plain, err := json.Marshal(d)
	if err != nil {
		return err
	}
	c := Camera{g.Tenant, g.Subject, g.Binding}
	v, err := r.Keys.Seal(ctx, seal.OfBinding(c.Tenant, c.Subject, c.Binding), settingPlace(c), plain)
	if err != nil {
		return err
	}
	w := &cameraRow{Tenant: c.Tenant, Binding: c.Binding, Subject: c.Subject, Details: v}
	if s.On {
		w.Watched = 1
	}
	_, err = r.DB.Write.NewInsert().Model(w).On("CONFLICT (tenant_id, binding_id) DO UPDATE").
		Set("watched = EXCLUDED.watched, details = EXCLUDED.details").Exec(ctx)
	return err
}
