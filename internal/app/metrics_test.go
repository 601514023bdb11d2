package app

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"candor/internal/metrics"
)

// The page of the reference lists what this build can count, and nothing else.
func TestMetricsPageListsEachMetric(t *testing.T) {
	page, err := os.ReadFile("../../ref/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed, known []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ([^|]*)\\|").FindAllStringSubmatch(string(page), -1) {
		labels := regexp.MustCompile("[^a-z_,]").ReplaceAllString(m[2], "")
		listed = append(listed, "metric:"+m[1]+"{"+labels+"}")
	}
	for _, p := range slices.Concat(Passports(), metrics.Passports()) {
		if strings.HasPrefix(p.Where, "metric:") && !slices.Contains(known, p.Where) {
			known = append(known, p.Where)
		}
	}
	slices.Sort(known)
	for _, k := range known {
		if !slices.Contains(listed, k) {
			t.Errorf("%s is not on ref/metrics.md", k)
		}
	}
	for _, l := range listed {
		if !slices.Contains(known, l) {
			t.Errorf("ref/metrics.md lists %s, which is not counted", l)
		}
	}
}
