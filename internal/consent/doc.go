// Package consent keeps what people agreed to, refused and withdrew.
//
// A decision is a record in the shape of ISO/IEC TS 27560: who, for which purpose, about which
// camera, in which words (the hash of the text that was on the screen), under which version of the
// policy, in which language, when and how. Records are numbered per person and never changed: a new
// decision is a new record. A decision is about one camera or about all (the zero binding), those
// included that come later; for a camera the newest that is about it or about all is what holds.
//
// Nothing is given beforehand. Where there is no record, the answer is no; where the text is not
// one that the policy asks with, no consent can be given; where a purpose does not rest on
// consent, there is nothing to decide.
//
// In clear are the state, the purpose and hashes, because the gate reads them at every decision. When,
// in which language and how are sealed under the person's key. Records stay until the account
// closes, also those about cameras that are gone: they are the person's evidence and ours.
//
// Withdrawing here only writes the record. Who asks for it then revokes the right at the gate and
// says the goodbye (package rights).
package consent
