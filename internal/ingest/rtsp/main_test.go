package rtsp

import (
	"flag"
	"os"
	"testing"
)

// These tests wait for real time and compute little: more of them may run side by side than
// there are processors. Fuzzing computes.
func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.fuzz").Value.String() == "" {
		if err := flag.Set("test.parallel", "24"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
