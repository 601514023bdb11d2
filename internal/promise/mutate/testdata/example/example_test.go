package example

import (
	"testing"

	"candor/internal/promise"
)

func TestNotices(t *testing.T) {
	promise.Proves(t, "P113")
	if Double(2) != 4 {
		t.Fatal("not doubled")
	}
}

func TestDoesNotNotice(t *testing.T) {
	t.Run("part", func(t *testing.T) {
		promise.Proves(t, "P020")
		if Triple(0) != 0 {
			t.Fatal("not tripled")
		}
	})
}

func TestPanics(t *testing.T) {
	promise.Proves(t, "P001")
	Must()
}
