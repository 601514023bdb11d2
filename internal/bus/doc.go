// Package bus tells rooms of one installation what has happened in another.
//
// It is a NATS server inside the process: no listening socket, JetStream off, nothing on disk.
// A message is an Envelope and an Envelope holds identifiers, a number and a time, never a
// value: who wants to know more asks the room that owns it, through the gate. The subject is
//
//	candor.v1.<tenant>.<room>.<noun>.<verb>
//
// where <tenant> is "_" for what concerns the whole installation. The last three words are the
// envelope's Type. A type without a passport is refused, at Publish and at Subscribe.
//
// What must not be lost goes through the Outbox: Add writes the envelope in the caller's own
// transaction, the relay publishes it after the commit, at least once and in the order of the
// commits. A receiver that must not act twice looks at Envelope.Seq.
//
// Rooms import this package to speak; it imports none of them.
package bus
