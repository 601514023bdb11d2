package app

import (
	"testing"

	"candor/internal/alarm"
)

// TestWhatIsLeftOutIsOneZone: the zone holds the middle of every cell that is left out, and of no other.
func TestWhatIsLeftOutIsOneZone(t *testing.T) {
	for _, mask := range []string{"800000000000000000000000000000000001", "a5a5a5a55a5a5a5aff00ff00123456789abc", "ffffffffffffffffffffffffffffffffffff"} {
		m, err := alarm.ParseMask(mask)
		if err != nil {
			t.Fatal(err)
		}
		zones := leftOut(m)
		if len(zones) != 1 || !zones[0].Ignore {
			t.Fatalf("%s: %d zones", mask, len(zones))
		}
		for row := range alarm.Rows {
			for column := range alarm.Columns {
				x, y, in := (float64(column)+0.5)/alarm.Columns, (float64(row)+0.5)/alarm.Rows, false
				for i, a := range zones[0].Points {
					b := zones[0].Points[(i+1)%len(zones[0].Points)]
					if (a.Y > y) != (b.Y > y) && x < (b.X-a.X)*(y-a.Y)/(b.Y-a.Y)+a.X {
						in = !in
					}
				}
				if in != m.Left(column, row) {
					t.Fatalf("%s: cell %d, %d is left out: %v", mask, column, row, in)
				}
			}
		}
	}
	if leftOut(alarm.Mask{}) != nil {
		t.Error("nothing is left out, and a zone is")
	}
}
