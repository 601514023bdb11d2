// Package watch looks, while an installation runs, whether promises are kept.
//
// A test shows that a build keeps a promise; the watch shows that what runs here does. A Probe is one look at
// something real: the pages as they are served, the columns of the live database, the policy that is obeyed
// (which may be the operator's own), the gate's answer to a stranger. It names the promises it is about and says which
// of them is broken, and why. What cannot be looked at counts as broken: not knowing is not keeping.
//
// Probes run once a minute after the start and then every hour, one after the other. They read and ask; they change
// nothing, store nothing and know nobody: what they say holds no value of a person. A broken promise is
// logged, counted in a metric, and shown on the board.
//
// A probe that nobody has seen fail proves nothing. Each is tried in a drill (internal/app, TestDrill…), in which
// the forbidden thing is planted and the probe has to name the promise; promisecheck writes down which were.
package watch
