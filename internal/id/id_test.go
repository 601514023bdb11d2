package id_test

import (
	"encoding/json"
	"strings"
	"testing"

	"candor/internal/id"
)

func TestTextAndSQLRoundTrip(t *testing.T) {
	want := id.New[struct{}]()
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var fromText id.ID[struct{}]
	if err := json.Unmarshal(text, &fromText); err != nil || fromText != want {
		t.Fatalf("JSON %s came back as %v, %v", text, fromText, err)
	}
	v, _ := want.Value()
	var fromSQL id.ID[struct{}]
	if err := fromSQL.Scan(v); err != nil || fromSQL != want {
		t.Fatalf("SQL value came back as %v, %v", fromSQL, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, in := range []string{"", "x", strings.Repeat("0", 36), "urn:uuid:" + id.New[struct{}]().String(), strings.Repeat("a", 4096)} {
		if got, err := id.Parse[struct{}](in); err == nil {
			t.Errorf("Parse(%.40q) = %v, want an error", in, got)
		}
	}
}

func TestIdentifiersSortByTime(t *testing.T) {
	a, b := id.New[struct{}](), id.New[struct{}]()
	if a.String() >= b.String() {
		t.Errorf("%v does not sort before %v, made after it", a, b)
	}
}
