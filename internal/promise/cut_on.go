//go:build cut

package promise

import "os"

var cut = os.Getenv("CANDOR_CUT")

// Cut reports whether the control of a promise is to be left out: the one that CANDOR_CUT
// names. Builds with the tag "cut" are for the mutation run and are never handed out.
func Cut(id string) bool { return cut != "" && id == cut }
