// Package ingest keeps cameras connected: main and sub stream of each, under a lease.
//
// The Supervisor opens a media.Stream per profile and has a source (ingest/rtsp) feed it. When the
// lease ends, the streams are closed before End returns, whatever the network does; while it is
// paused nothing is delivered and the connection stays. The package decides nothing about who
// may look: that is the gate's, and the lease is its word.
package ingest
