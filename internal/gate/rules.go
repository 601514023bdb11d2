package gate

import (
	"time"

	"candor/internal/passport"
	"candor/internal/permit"
)

// The parts of the system that do background work, as permit.System names them.
const (
	SignIn    = "sign-in"   // compares a password
	Ingest    = "ingest"    // connects to cameras
	Recorder  = "recorder"  // keeps footage
	Motion    = "motion"    // looks for movement and keeps events
	Retention = "retention" // lets go of what is due
	Notify    = "notify"    // tells people what happened
	Rights    = "rights"    // carries out goodbyes and exports
	Post      = "post"      // writes to people
	Reporter  = "reporter"  // keeps reports of connections
	Sharing   = "sharing"   // weighs what owners share
)

// which says whether an action is about a camera.
type which int

const (
	noCamera  which = iota // about the account: a binding in the request is refused
	oneCamera              // about one camera: a request without a binding is refused
	anyCamera              // about one or, without a binding, about all
)

// rule says what an action may do and who may do it. What it leaves out is denied.
type rule struct {
	purpose    passport.Purpose
	categories []passport.Category // what may open
	camera     which
	owner      bool           // open to the person it is about
	ability    permit.Ability // open to whom the owner gave it; "": to nobody else
	systems    []string       // open to these parts of the system
	whole      bool           // a lease of it reaches what rests on any purpose: taking back one of them ends it
	after      bool           // for systems: also after the camera was released or the account closed; not ended by Revoke
	record     bool           // write an access record for a person
	window     time.Duration  // one record covers this long; 0: every permit and lease has its own
}

// often is how long one access record covers requests that come by the dozen.
const often = 15 * time.Minute

var everything = []passport.Category{
	passport.Identity, passport.Contact, passport.Setting, passport.DeviceData, passport.Footage, passport.Picture, passport.Event, passport.AccessLog, passport.ConsentLog,
}

// told is what is kept of who is told, and what telling them takes.
var told = []passport.Category{passport.Setting, passport.Event}

var rules = map[permit.Action]rule{
	permit.AccountSignIn: {purpose: passport.Security, categories: []passport.Category{passport.Credential}, systems: []string{SignIn}},
	permit.AccountRead:   {purpose: passport.Account, categories: []passport.Category{passport.Identity, passport.Setting}, owner: true},
	permit.AccountChange: {purpose: passport.Account, categories: []passport.Category{passport.Identity, passport.Setting}, owner: true},
	permit.AccountErase:  {purpose: passport.Rights, owner: true, systems: []string{Rights}, after: true},

	permit.AccountMail: {purpose: passport.Security, categories: []passport.Category{passport.Identity}, systems: []string{Post, Notify}},

	permit.CameraList:   {purpose: passport.Live, categories: []passport.Category{passport.DeviceData}, owner: true},
	permit.CameraAdd:    {purpose: passport.Live, categories: []passport.Category{passport.DeviceData}, owner: true},
	permit.CameraRead:   {purpose: passport.Live, categories: []passport.Category{passport.DeviceData}, camera: oneCamera, owner: true, ability: permit.See},
	permit.CameraChange: {purpose: passport.Live, categories: []passport.Category{passport.DeviceData}, camera: oneCamera, owner: true},
	permit.CameraErase:  {purpose: passport.Rights, camera: oneCamera, owner: true, systems: []string{Rights}, after: true},
	permit.CameraPull: {purpose: passport.Live, categories: []passport.Category{passport.DeviceData, passport.Credential, passport.LiveMedia},
		camera: oneCamera, systems: []string{Ingest}},
	permit.CameraWatch: {purpose: passport.Live, categories: []passport.Category{passport.LiveMedia}, camera: oneCamera, owner: true, ability: permit.LiveView, record: true},
	permit.CameraStill: {purpose: passport.Live, categories: []passport.Category{passport.LiveMedia, passport.Picture},
		camera: oneCamera, owner: true, ability: permit.LiveView, record: true, window: often},
	permit.CameraRecord:  {purpose: passport.Recording, categories: []passport.Category{passport.Footage}, camera: oneCamera, systems: []string{Recorder}},
	permit.CameraReport:  {purpose: passport.Reports, categories: []passport.Category{passport.DeviceData}, camera: oneCamera, systems: []string{Reporter}},
	permit.CameraReports: {purpose: passport.Reports, categories: []passport.Category{passport.DeviceData}, camera: oneCamera, owner: true},
	permit.CameraMotion: {purpose: passport.Motion, categories: []passport.Category{passport.LiveMedia, passport.Event, passport.DeviceData},
		camera: oneCamera, systems: []string{Motion}},

	permit.FootageRead: {purpose: passport.Recording, categories: []passport.Category{passport.Footage, passport.Picture, passport.DeviceData},
		camera: oneCamera, owner: true, ability: permit.Playback, record: true, window: often},
	permit.FootageExport: {purpose: passport.Recording, categories: []passport.Category{passport.Footage, passport.DeviceData},
		camera: oneCamera, owner: true, ability: permit.Export, record: true, window: often},
	permit.FootageErase: {purpose: passport.Rights, categories: []passport.Category{passport.Footage},
		camera: oneCamera, owner: true, systems: []string{Rights, Retention}, after: true},
	permit.EventList: {purpose: passport.Motion, categories: []passport.Category{passport.Event}, camera: oneCamera, owner: true, ability: permit.Alarms},
	permit.EventRead: {purpose: passport.Motion, categories: []passport.Category{passport.Event},
		camera: oneCamera, owner: true, ability: permit.Alarms, record: true, window: often},

	permit.ShareRead:   {purpose: passport.Sharing, categories: []passport.Category{passport.Contact, passport.Setting, passport.AccessLog}, owner: true},
	permit.ShareChange: {purpose: passport.Sharing, categories: []passport.Category{passport.Contact, passport.Setting, passport.DeviceData}, owner: true},
	permit.ShareWeigh:  {purpose: passport.Sharing, categories: []passport.Category{passport.Contact, passport.Setting, passport.DeviceData}, systems: []string{Sharing}},

	permit.AlertRead:    {purpose: passport.Alerts, categories: told, owner: true},
	permit.AlertChange:  {purpose: passport.Alerts, categories: told, owner: true},
	permit.AlertChoose:  {purpose: passport.Alerts, camera: oneCamera, owner: true, ability: permit.Alarms},
	permit.AlertSend:    {purpose: passport.Alerts, categories: told, systems: []string{Notify}},
	permit.AlertName:    {purpose: passport.Alerts, categories: []passport.Category{passport.DeviceData}, camera: oneCamera, systems: []string{Notify}},
	permit.AlertPicture: {purpose: passport.Pictures, categories: []passport.Category{passport.Event, passport.Picture}, camera: oneCamera, systems: []string{Notify}},
	permit.PushSend:     {purpose: passport.Push, categories: []passport.Category{passport.Setting}, systems: []string{Notify}},

	permit.ConsentChange: {purpose: passport.Rights, categories: []passport.Category{passport.ConsentLog}, camera: anyCamera, owner: true},
	permit.PrivacyRead: {purpose: passport.Rights, camera: anyCamera, owner: true, systems: []string{Rights}, after: true,
		categories: []passport.Category{passport.Setting, passport.Contact, passport.DeviceData, passport.AccessLog, passport.ConsentLog}},
	permit.PrivacyExport: {purpose: passport.Rights, camera: anyCamera, owner: true, systems: []string{Rights}, categories: everything, record: true, whole: true},
}
