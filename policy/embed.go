// Package policy carries the privacy policy's source files into the program. They are data:
// internal/policy reads and checks them, and its package doc specifies their language.
package policy

import "embed"

// Files holds the source (*.yaml, texts/) and, beside it, what the build knows about its own
// keeping of it (controls.json, evidence.json), which is not part of the policy or its hash.
//
//go:embed *.yaml promises/*.yaml texts controls.json evidence.json
var Files embed.FS
