package policy

import (
	"encoding/json"
	"math"
	"testing"
)

// The serialisation sample of RFC 8785, section 3.2.2 and 3.2.4.
func TestCanonicalObjectOfTheRFC(t *testing.T) {
	const in = `{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`
	const want = `{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`
	var v any
	if err := json.Unmarshal([]byte(in), &v); err != nil {
		t.Fatal(err)
	}
	got, err := Canonical(v)
	if err != nil || string(got) != want {
		t.Fatalf("%v\n got %s\nwant %s", err, got, want)
	}
}

// The sorting sample of RFC 8785, section 3.2.3.
func TestCanonicalOrderIsByUTF16(t *testing.T) {
	v := map[string]any{
		"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
		"\U0001F600": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis",
	}
	const want = `{"\r":"Carriage Return","1":"One","` + "\u0080" + `":"Control","` + "\u00f6" +
		`":"Latin Small Letter O With Diaeresis","` + "\u20ac" + `":"Euro Sign","` + "\U0001F600" +
		`":"Emoji: Grinning Face","` + "\ufb33" + `":"Hebrew Letter Dalet With Dagesh"}`
	got, err := Canonical(v)
	if err != nil || string(got) != want {
		t.Fatalf("%v\n got %s\nwant %s", err, got, want)
	}
}

// The number samples of RFC 8785, appendix B.
func TestCanonicalNumbersOfTheRFC(t *testing.T) {
	for bits, want := range map[uint64]string{
		0x0000000000000000: "0",
		0x8000000000000000: "0",
		0x0000000000000001: "5e-324",
		0x8000000000000001: "-5e-324",
		0x7fefffffffffffff: "1.7976931348623157e+308",
		0xffefffffffffffff: "-1.7976931348623157e+308",
		0x4340000000000000: "9007199254740992",
		0xc340000000000000: "-9007199254740992",
		0x4430000000000000: "295147905179352830000",
		0x44b52d02c7e14af5: "9.999999999999997e+22",
		0x44b52d02c7e14af6: "1e+23",
		0x44b52d02c7e14af7: "1.0000000000000001e+23",
		0x444b1ae4d6e2ef4e: "999999999999999700000",
		0x444b1ae4d6e2ef4f: "999999999999999900000",
		0x444b1ae4d6e2ef50: "1e+21",
		0x3eb0c6f7a0b5ed8c: "9.999999999999997e-7",
		0x3eb0c6f7a0b5ed8d: "0.000001",
		0x41b3de4355555553: "333333333.3333332",
		0x41b3de4355555557: "333333333.33333343",
		0xbecbf647612f3696: "-0.0000033333333333333333",
		0x43143ff3c1cb0959: "1424953923781206.2",
	} {
		got, err := Canonical(math.Float64frombits(bits))
		if err != nil || string(got) != want {
			t.Errorf("%016x: got %s, %v; want %s", bits, got, err, want)
		}
	}
}

func TestCanonicalRefusesWhatJSONCannotHold(t *testing.T) {
	for name, v := range map[string]any{
		"NaN": math.NaN(), "infinity": math.Inf(1), "a struct": struct{}{}, "broken UTF-8": "\xff",
		"a broken key": map[string]any{"\xff": 1}, "an inexact integer": int64(1)<<53 + 1,
	} {
		if got, err := Canonical(v); err == nil {
			t.Errorf("%s: wrote %s", name, got)
		}
	}
}

func FuzzCanonical(f *testing.F) {
	f.Add(`{"b":[1,2.5,null],"a":"\u0000é"}`)
	f.Add(`-1e-7`)
	f.Fuzz(func(t *testing.T, in string) {
		var v any
		if json.Unmarshal([]byte(in), &v) != nil {
			return
		}
		once, err := Canonical(v)
		if err != nil {
			return
		}
		var again any
		if err := json.Unmarshal(once, &again); err != nil {
			t.Fatalf("%s is no JSON: %v", once, err)
		}
		if twice, err := Canonical(again); err != nil || string(twice) != string(once) {
			t.Fatalf("not stable: %s then %s, %v", once, twice, err)
		}
	})
}
