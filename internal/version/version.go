// Package version tells which build this is. The linker sets Version.
package version

import (
	"runtime"
	"runtime/debug"
)

// Version is the tag or commit the binary was built from.
var Version = "unversioned"

// String names the build: version, Go release, system.
func String() string {
	return "candor " + Version + " " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
}

// Modules lists the modules linked in, for `candor version --modules`.
func Modules() []*debug.Module {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Deps
	}
	return nil
}
