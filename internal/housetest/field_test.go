package housetest

import (
	"go/ast"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"candor/internal/policy"
	"candor/internal/promise"
)

// noField is a kind of data for which there must be no field anywhere, with the words that would
// give one away. A word of several parts ("mac address") is looked for as those parts in a row.
type noField struct {
	promise string
	cut     bool
	words   []string
	planted string
}

func noFields() []noField {
	place := []string{"latitude", "longitude", "lat", "lng", "lon", "gps", "geolocation", "geo", "altitude", "coordinates", "coordinate"}
	return []noField{
		{"P113", promise.Cut("P113"), place, "trip_latitude"},
		{"P035", promise.Cut("P035"), append([]string{"ssid", "bssid", "wifi"}, place...), "PhoneSSID"},
		{"P051", promise.Cut("P051"), place, "phone_lng"},
		{"P054", promise.Cut("P054"), place, "hotspotCoordinates"},
		{"P044", promise.Cut("P044"), []string{"ssid", "bssid"}, "wifi_ssid"},
		{"P055", promise.Cut("P055"), []string{"ssid", "wlan", "network name"}, "WLANName"},
		{"P017", promise.Cut("P017"), []string{"installed apps", "app list", "packages installed"}, "installedApps"},
		{"P255", promise.Cut("P255"), []string{"running apps", "running processes", "running tasks"}, "running_apps"},
		{"P090", promise.Cut("P090"), []string{"imei", "mac address", "oaid", "idfa", "android id", "app list"}, "android_id"},
		{"P088", promise.Cut("P088"), []string{"imei"}, "pushIMEI"},
		{"P138", promise.Cut("P138"), []string{"fake user", "oaid", "idfa", "android id", "phone id"}, "androidID"},
		{"P143", promise.Cut("P143"), []string{"mac address", "hardware address", "mac addr"}, "MACAddress"},
		{"P145", promise.Cut("P145"), []string{"imei", "iccid", "imsi", "meid"}, "simICCID"},
		{"P201", promise.Cut("P201"), []string{"oaid", "gaid", "idfa", "advertising id", "ad id"}, "advertising_id"},
		{"P214", promise.Cut("P214"), []string{"android id"}, "Android_ID"},
		{"P304", promise.Cut("P304"), []string{"biometric", "biometrics", "face", "faceprint", "voiceprint", "iris", "fingerprint template"}, "login_face"},
		{"P305", promise.Cut("P305"), []string{"biometric", "biometrics", "face", "faceprint", "voiceprint", "embedding"}, "FaceDigest"},
		{"P323", promise.Cut("P323"), []string{"face", "id document", "passport number", "birth certificate"}, "ageFaceImage"},
		{"P135", promise.Cut("P135"), []string{"telemetry", "analytics"}, "Telemetry"},
		{"P139", promise.Cut("P139"), []string{"device model", "phone model", "hardware id", "mobile network", "mobile operator", "carrier"}, "phoneModel"},
		{"P140", promise.Cut("P140"), []string{"network status", "network type", "connection type", "effective type"}, "network_status"},
		{"P144", promise.Cut("P144"), []string{"imei", "imsi", "msisdn", "phone identity", "sim country", "sim operator"}, "simCountry"},
		{"P222", promise.Cut("P222"), []string{"mailing list", "newsletter", "tracking pixel", "opened mail", "clicked link"}, "newsletter_opened"},
		{"P137", promise.Cut("P137"), []string{"imei", "idfa", "mac address", "access point", "accelerometer", "gyroscope", "pages viewed"}, "gyroscope_x"},
	}
}

// Struct fields, JSON names, SQL columns, and the fields of the web app's types: what has no
// name there has no place.
func TestNoFieldForWhatIsNeverKept(t *testing.T) {
	promise.Proves(t, "P113", "P035", "P051", "P054", "P044", "P055", "P017", "P255", "P090", "P088", "P138")
	promise.Proves(t, "P143", "P145", "P201", "P214", "P304", "P305", "P323", "P135", "P137", "P139", "P140", "P144", "P222")
	names := fieldNames(t)
	if len(names) < 200 {
		t.Fatalf("only %d names found: the source is not being read", len(names))
	}
	for _, n := range noFields() {
		if n.cut {
			names[n.planted] = "planted"
		}
	}
	for name, where := range names {
		words := " " + strings.Join(wordsOf(name), " ") + " "
		for _, n := range noFields() {
			for _, w := range n.words {
				if strings.Contains(words, " "+w+" ") {
					t.Errorf("%s: %s in %s looks like a field for %q", n.promise, name, where, w)
				}
			}
		}
	}
}

func TestEachAbsentFieldWouldBeFound(t *testing.T) {
	for _, n := range noFields() {
		words := " " + strings.Join(wordsOf(n.planted), " ") + " "
		if !slices.ContainsFunc(n.words, func(w string) bool { return strings.Contains(words, " "+w+" ") }) {
			t.Errorf("%s: %q (%q) has none of %q", n.promise, n.planted, words, n.words)
		}
	}
}

// wordsOf takes an identifier apart: "phoneSSID_value" → phone ssid value.
func wordsOf(name string) []string {
	var b strings.Builder
	rs := []rune(name)
	for i, r := range rs {
		if unicode.IsUpper(r) && i > 0 && (unicode.IsLower(rs[i-1]) || i+1 < len(rs) && unicode.IsLower(rs[i+1]) && unicode.IsUpper(rs[i-1])) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return strings.FieldsFunc(b.String(), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

var column = regexp.MustCompile(`(?im)^\s+"?([a-z][a-z0-9_]*)"?\s+(?:TEXT|BLOB|BYTEA|INTEGER|BIGINT|SMALLINT|REAL|DOUBLE|NUMERIC|BOOLEAN|JSONB?|UUID|VARCHAR|TIMESTAMP)`)

// fieldNames maps each name under which something could be kept or sent to where it is.
func fieldNames(t *testing.T) map[string]string {
	t.Helper()
	names := map[string]string{}
	house(t).each(func(p *pkg, f *file) {
		if !below(p.path, "internal") && !below(p.path, "cmd") {
			return
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			s, ok := n.(*ast.StructType)
			if !ok {
				return true
			}
			for _, field := range s.Fields.List {
				for _, id := range field.Names {
					names[id.Name] = f.name
				}
				if field.Tag != nil {
					tag := reflect.StructTag(strings.Trim(field.Tag.Value, "`"))
					for _, key := range []string{"json", "bun", "yaml", "path", "query", "form"} {
						if v, _, _ := strings.Cut(tag.Get(key), ","); v != "" {
							names[v] = f.name
						}
					}
				}
			}
			return true
		})
	})
	walk(t, []string{"internal"}, []string{".sql"}, func(name, text string) {
		for _, m := range column.FindAllStringSubmatch(text, -1) {
			names[m[1]] = name
		}
	})
	property := regexp.MustCompile(`(?m)^\s+(?:readonly )?"?([A-Za-z_]\w*)"?\??:\s`)
	walk(t, []string{"web/src"}, []string{".ts"}, func(name, text string) {
		for _, m := range property.FindAllStringSubmatch(text, -1) {
			names[m[1]] = name
		}
	})
	return names
}

// A location or a face has no category, so no passport for one passes and nothing can keep it.
func TestPolicyHasNoPlaceForAbsentKinds(t *testing.T) {
	p, err := policy.Built()
	if err != nil {
		t.Fatal(err)
	}
	for _, absent := range []string{"location", "biometric", "installed_apps", "hardware_id", "advertising_id", "profile", "contact_list"} {
		if !slices.Contains(p.Absent, absent) {
			t.Errorf("the policy no longer says that %s is absent", absent)
		}
	}
}
