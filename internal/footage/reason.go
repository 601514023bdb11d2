package footage

import (
	"errors"
	"syscall"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"candor/internal/problem"
)

// Reason says why a stretch of time has no footage. The catalogue's key is "footage.gap." + Reason.
type Reason string

// The reasons.
const (
	Offline      Reason = "offline"       // the camera sent nothing
	RecordingOff Reason = "recording_off" // its owner had switched recording off
	DiskFull     Reason = "disk_full"
	DiskSlow     Reason = "disk_slow"
	DiskReadOnly Reason = "disk_read_only"
	DiskError    Reason = "disk_error"
	Waiting      Reason = "waiting"        // it was not certain that recording is still allowed
	Restart      Reason = "restart"        // the program was not running
	NoKeyPicture Reason = "no_key_picture" // the camera sent nothing that decoding can begin with
	Expired      Reason = "expired"        // recorded once, and let go since
	NotYet       Reason = "not_yet"        // not recorded yet
	NotShared    Reason = "not_shared"     // outside what the reader may see; never written
)

// recording is the code of "footage begins here": it ends whatever reason there was.
const recording Reason = ""

// codes are how reasons are written; a reason never changes its place.
var codes = []Reason{recording, Offline, RecordingOff, DiskFull, DiskSlow, DiskReadOnly, DiskError, Waiting, Restart, Expired, NotYet, NoKeyPicture}

func (r Reason) code() byte {
	for i, known := range codes {
		if known == r {
			return byte(i)
		}
	}
	return 8 // restart: nothing is known
}

// trouble names what stands in the way of writing.
func trouble(err error) Reason {
	switch {
	case isFull(err):
		return DiskFull
	case errors.Is(err, syscall.EROFS), errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES),
		problem.Is(err, "keys.read_only"):
		return DiskReadOnly
	}
	return DiskError
}

// errReserve is a disk so full that recording leaves the rest to erasing.
var errReserve = errors.New("disk is full up to the reserve")

func isFull(err error) bool {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, errReserve) || problem.Is(err, "keys.full") {
		return true
	}
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == lib.SQLITE_FULL
}
