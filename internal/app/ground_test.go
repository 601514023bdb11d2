package app

import (
	"syscall"
	"testing"
)

func TestACrashLeavesNoMemoryOnTheDisk(t *testing.T) {
	if err := noDumps(); err != nil {
		t.Fatal(err)
	}
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &l); err != nil || l.Cur > 1 {
		t.Errorf("limit %d, %v", l.Cur, err)
	}
}
