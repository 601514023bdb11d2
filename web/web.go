//go:build !noui

// Package web is the app as a file system: what `npm run build` left in dist. Nobody but webapp
// serves it. The build tag noui leaves it out; a build without the app compiles all the same, and
// Files then holds no index.html.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files is the built app, index.html at its root.
var Files = sub()

func sub() fs.FS {
	f, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err)
	}
	return f
}
