package footage

import "sync/atomic"

// Metrics counts what recording costs. All of it may be read at any time.
type Metrics struct {
	Writes   atomic.Int64 // write calls
	Syncs    atomic.Int64 // fsync calls on segments
	Bytes    atomic.Int64 // written
	Segments atomic.Int64 // closed
	Units    atomic.Int64 // recorded
	Lost     atomic.Int64 // units that could not be kept up with
	Faults   atomic.Int64 // writes that failed
}
