package httpapi

import "candor/internal/passport"

// Accepted says what a field that a person may send is, and why it is taken. A field outside
// this table fails the tests, and one outside the document is refused with 422.
type Accepted struct {
	Category passport.Category
	Purpose  passport.Purpose
}

// Fields lists every field of every request: "operation/field". Identifiers in paths are not
// data somebody gives: they name what is already there.
func Fields() map[string]Accepted {
	var (
		code      = Accepted{passport.Credential, passport.Security}
		password  = Accepted{passport.Credential, passport.Security}
		name      = Accepted{passport.Identity, passport.Account}
		email     = Accepted{passport.Identity, passport.Account}
		choice    = Accepted{passport.Setting, passport.Account}
		agreed    = Accepted{passport.ConsentLog, passport.Rights}
		camera    = Accepted{passport.DeviceData, passport.Live}
		cameraKey = Accepted{passport.Credential, passport.Live}
		keep      = Accepted{passport.Setting, passport.Recording}
		look      = Accepted{passport.Technical, passport.Live}
		back      = Accepted{passport.Technical, passport.Recording}
		watch     = Accepted{passport.DeviceData, passport.Motion}
		noticed   = Accepted{passport.Technical, passport.Motion}
		shared    = Accepted{passport.Contact, passport.Sharing}
		allowed   = Accepted{passport.Setting, passport.Sharing}
		page      = Accepted{passport.Technical, passport.Rights}
		retry     = Accepted{passport.Technical, passport.Security}
		alert     = Accepted{passport.Setting, passport.Alerts}
		sent      = Accepted{passport.Technical, passport.Alerts}
		address   = Accepted{passport.Setting, passport.Push}
		arrival   = Accepted{passport.Technical, passport.Push}
	)
	return map[string]Accepted{
		"beginSetup/code": code, "beginSetup/name": name, "beginSetup/email": email, "beginSetup/password": password,
		"beginSetup/language": choice, "beginSetup/time_zone": choice, "beginSetup/recording": agreed,
		"beginSetup/recording_text_hash": agreed, "beginSetup/add_demo_camera": camera,
		"signIn/email": email, "signIn/password": password,
		"askSignUp/email": email, "askSignUp/language": choice, "askSignUp/invitation": code,
		"signUp/request": code, "signUp/email": email, "signUp/code": code, "signUp/name": name, "signUp/password": password, "signUp/language": choice, "signUp/time_zone": choice,
		"askReset/email": email, "askReset/language": choice, "resetPassword/request": code, "resetPassword/email": email, "resetPassword/code": code, "resetPassword/password": password,
		"askEmail/email": email, "askEmail/password": password, "setEmail/request": code, "setEmail/email": email, "setEmail/code": code,
		"changeAccount/name": name, "changeAccount/language": choice, "changeAccount/theme": choice, "changeAccount/time_zone": choice, "changeAccount/If-Match": retry,
		"setPassword/current": password, "setPassword/new": password, "eraseAccount/password": password,
		"finishSignIn/token": code, "finishSignIn/code": code, "offerSecondStep/password": password, "confirmSecondStep/code": code,
		"dropSecondStep/password": password, "dropSecondStep/code": code,
		"checkCamera/address": camera, "checkCamera/sub_address": camera, "checkCamera/username": cameraKey, "checkCamera/password": cameraKey,
		"cameraProfiles/service": camera, "cameraProfiles/host": camera, "cameraProfiles/brand": camera, "cameraProfiles/username": cameraKey, "cameraProfiles/password": cameraKey,
		"addCamera/name": camera, "addCamera/address": camera, "addCamera/sub_address": camera, "addCamera/username": cameraKey, "addCamera/password": cameraKey,
		"addCamera/recording": agreed, "addCamera/recording_text_hash": agreed, "addCamera/demo": camera, "addCamera/Idempotency-Key": retry,
		"changeCamera/name": camera, "changeCamera/address": camera, "changeCamera/sub_address": camera, "changeCamera/username": cameraKey, "changeCamera/password": cameraKey,
		"changeCamera/recording_mode": keep, "changeCamera/retention": keep, "changeCamera/retention/days": keep, "changeCamera/retention/bytes": keep, "changeCamera/If-Match": retry,
		"removeCamera/password": password, "decideConsent/state": agreed, "decideConsent/text_hash": agreed,
		"beginExport/password":     password,
		"markNoticeSeen/seen":      page,
		"answerPolicy/policy_hash": agreed, "answerPolicy/answer": agreed,
		"decideConsentForAll/state": agreed, "decideConsentForAll/text_hash": agreed,
		"getStill/w": look, "watchWHEP/quality": look, "watchWHEP/audio": look, "watchMSE/quality": look, "watchMSE/audio": look, "listen/Last-Event-ID": look,
		"getTimeline/from": back, "getTimeline/to": back, "getTimeline/profile": back, "getFrame/at": back, "getFrame/w": back,
		"getFootage/from": back, "getFootage/to": back, "getFootage/profile": back, "getFootage/download": back,
		"listEvents/camera": noticed, "listEvents/kind": noticed, "listEvents/seen": noticed, "listEvents/from": noticed, "listEvents/to": noticed,
		"listEvents/cursor": noticed, "listEvents/limit": noticed, "listCameraEvents/from": noticed, "listCameraEvents/to": noticed,
		"markEventsSeen/events": noticed, "markEventsSeen/seen": noticed,
		"changeMotion/on": watch, "changeMotion/sensitivity": watch, "changeMotion/left_out": watch,
		"chooseAlerts/kind": alert, "chooseAlerts/app": alert, "chooseAlerts/push": alert, "chooseAlerts/mail": alert, "chooseAlerts/pictures": alert, "chooseAlerts/hours": alert,
		"pauseCameraAlerts/for": alert, "pauseAlerts/for": alert, "addPushDevice/endpoint": address, "addPushDevice/p256dh": address, "addPushDevice/auth": address,
		"reportArrival/test": arrival, "listMessages/cursor": sent, "listMessages/limit": sent,
		"listAccesses/cursor": page, "listAccesses/limit": page, "listAccesses/camera_id": page, "listPurposes/lang": choice, "getPolicy/lang": choice, "getPolicy/hash": page,
		"stepUp/password": password, "stepUp/code": code,
		"inviteMember/site_id": allowed, "inviteMember/camera_id": allowed, "inviteMember/abilities": allowed, "inviteMember/hours": allowed,
		"inviteMember/history_from": allowed, "inviteMember/until": allowed, "inviteMember/label": shared, "inviteMember/email": shared,
		"inviteMember/confirmed": shared, "inviteMember/Idempotency-Key": retry,
		"changeShare/abilities": allowed, "changeShare/hours": allowed, "changeShare/history_from": allowed, "changeShare/until": allowed, "changeShare/label": shared,
		"makeLink/camera_id": allowed, "makeLink/from": allowed, "makeLink/to": allowed, "makeLink/live": allowed, "makeLink/export": allowed, "makeLink/named": allowed,
		"makeLink/until": allowed, "makeLink/label": shared, "makeLink/confirmed": shared, "makeLink/Idempotency-Key": retry,
		"getLinkStill/w": look, "watchLinkWHEP/quality": look, "watchLinkWHEP/audio": look, "watchLinkMSE/quality": look, "watchLinkMSE/audio": look,
		"getLinkClip/download": back,
	}
}
