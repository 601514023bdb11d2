//go:build noui

// Package web is the app as a file system, left out of this build.
package web

import (
	"embed"
	"io/fs"
)

// Files is empty.
var Files fs.FS = embed.FS{}
