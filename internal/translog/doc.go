// Package translog keeps the access log: who opened what of whom, in an order that shows what is
// missing.
//
// Each subject has a chain of entries, numbered from 1 without gaps. An entry holds in clear only
// its number, the UTC day, the hash of the entry before, and a commitment to its details; the
// entry's hash covers all four. The details are sealed under the subject's key, together with a
// key of their own that the commitment is made with:
//
//	commitment = HMAC-SHA-256(entry key, details)
//	hash       = SHA-256("candor.access.1" ‖ tenant ‖ subject ‖ number ‖ day ‖ prev ‖ commitment)
//
// What the hash is of is one canonical string of bytes (leaf), so a log outside can take it as it is. The
// details name the policy, share and consent that allowed the access, and have a version.
//
// So whoever holds the hashes can see that nothing was taken out, put in or changed, and whoever
// may open the details can see that they are the ones committed to. Once the subject's key is
// destroyed, the commitment can be tied to nothing: the entry key is random and gone.
//
// An entry is durable when Append returns. That is a condition of opening anything: a permit
// whose access cannot be recorded is not given.
//
// Entries older than Keep go, oldest first; the head remembers the first number still there.
// What the chain cannot show is the removal of a whole chain with its head, or a consistent
// rewriting of everything by who controls the database: that takes a log outside of it.
package translog
