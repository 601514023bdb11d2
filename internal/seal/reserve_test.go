package seal_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"candor/internal/clock"
	"candor/internal/seal"
)

func TestTheReserveIsRoomForAMoment(t *testing.T) {
	dir := t.TempDir()
	k, err := seal.Open(context.Background(), seal.Options{Dir: dir, Fresh: true, Clock: clock.Wall})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	size := func() int64 {
		info, err := os.Stat(filepath.Join(dir, "keys.reserve"))
		if err != nil {
			return 0
		}
		return info.Size()
	}
	before, within := size(), int64(-1)
	full := errors.New("still full")
	if err := k.MakeRoom(func() error { within = size(); return full }); err != full {
		t.Errorf("got %v", err)
	}
	if before == 0 || within != 0 || size() != before {
		t.Errorf("reserve of %d bytes, %d meanwhile, %d afterwards", before, within, size())
	}
}
