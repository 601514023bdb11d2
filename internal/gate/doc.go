// Package gate decides who may do what, with whose data, for which purpose.
//
// Its answer is a permit.Permit (for a request) or a *permit.Lease (for what lasts), and without
// one of these package seal opens nothing: the check is the key. The gate is the only holder of
// the program's permit.Issuer.
//
// The rules are one table (rules.go): an action serves one purpose, may open a few categories,
// and is open to the owner, to named parts of the system, or to both. Whatever the table does
// not name is denied, and so is whatever cannot be established: a failing database, an unknown
// purpose, a policy that does not let the purpose touch the category. The legal basis comes from
// the policy; where it is consent, a given consent to a text that the policy knows must be there.
//
// # Refusals
//
// Who has no relation to a thing is told that it is not there (404). A session that has ended
// gets session.ended (401), a missing consent consent.needed (403), and a gate that cannot know
// gets gate.unsure or gate.paused (503).
//
// # Revoking
//
// First change the state (withdraw the consent, release the camera, delete the session), then
// call Revoke. Revoke ends every lease of that right on this node before it returns, gives the
// revocation a number in SQL and tells the other nodes, which read on from the number they know.
// A lease is registered before its decision begins, so a Revoke that runs meanwhile ends it too.
//
// Each node says on the bus four times a second that it is there, and up to which number it has
// heard. A node that hears nothing for 750 ms pauses all its leases: media stops. It resumes
// them after it has caught up with the revocations and decided each of them anew. The same
// second look is taken at every lease once a minute, so a forgotten Revoke costs a minute.
//
// # Access records
//
// What a person does with camera pictures or with a copy of everything is written to the access
// log, durably, before the permit or lease is handed out: once per lease for live viewing, and
// once per session, camera and action in a quarter of an hour for stills and footage, which come
// in many small requests. If the log cannot be written, the answer is no.
//
// The gate knows no HTTP, no SQL beyond its own two tables, and no codecs.
package gate
