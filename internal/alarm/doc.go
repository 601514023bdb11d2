// Package alarm keeps the events of cameras: that something moved, from when till when, and a
// picture of the most telling moment.
//
// It promises:
//
//   - An event rests on a lease. Each write looks at it; what comes after its end is dropped, and a
//     camera whose owner has withdrawn gets no new keys.
//   - When somebody was there is sealed, under keys of one UTC day and camera. In clear are random
//     ids, the day, a state and sizes; not even the order within a day can be read off.
//   - Killed at any moment, the program finds an event that was going on, ends it where it was last
//     heard of, and says that it was cut off.
//   - A flood costs no more room than a busy hour: beyond a limit further events of the hour are
//     counted into the last.
//   - Seen is per person. What one has seen, others have not.
//   - Nothing is listed, read or shown without a permit, and only within the permit's window.
//
// How it hangs together: whoever looks at a camera begins a Watch under a lease and reports through
// it. The room tells the bus ids (Opened, Changed, Closed); who wants to know more asks Find, and
// Read under a permit. The bus is told directly and not through the outbox, whose rows would tell
// the moment in clear. Whoever must not miss an event acts on Closed as well: an event that was
// going on at a crash is closed, and told so, at the next start.
//
// The room owns its tables (alarm_*) and its objects. It knows permits and seals, and nothing of
// pictures, HTTP, accounts or consent.
package alarm
