// Package clips holds the footage of the demo camera. README.md says where it is from.
package clips

import "embed"

// Files has people.mp4 and, smaller, people.sub.mp4: the same room at the same time.
//
//go:embed people.mp4 people.sub.mp4
var Files embed.FS
