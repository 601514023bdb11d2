package absent

import (
	"strings"
	"unicode"
)

// Field is a kind of data for which there must be no field anywhere, with the words that would
// give one away. A word of several parts ("mac address") is looked for as those parts in a row.
type Field struct {
	Promise string
	Words   []string
	Example string // a name that has one of the words
}

// In is the word that the name of a field has, or "".
func (f Field) In(name string) string {
	words := " " + strings.Join(wordsOf(name), " ") + " "
	for _, w := range f.Words {
		if strings.Contains(words, " "+w+" ") {
			return w
		}
	}
	return ""
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

var place = []string{"latitude", "longitude", "lat", "lng", "lon", "gps", "geolocation", "geo", "altitude", "coordinates", "coordinate"}

// Fields are those kinds.
var Fields = []Field{
	{"P113", place, "trip_latitude"},
	{"P035", append([]string{"ssid", "bssid", "wifi"}, place...), "PhoneSSID"},
	{"P051", place, "phone_lng"},
	{"P054", place, "hotspotCoordinates"},
	{"P044", []string{"ssid", "bssid"}, "wifi_ssid"},
	{"P055", []string{"ssid", "wlan", "network name"}, "WLANName"},
	{"P017", []string{"installed apps", "app list", "packages installed"}, "installedApps"},
	{"P255", []string{"running apps", "running processes", "running tasks"}, "running_apps"},
	{"P090", []string{"imei", "mac address", "oaid", "idfa", "android id", "app list"}, "android_id"},
	{"P088", []string{"imei"}, "pushIMEI"},
	{"P138", []string{"fake user", "oaid", "idfa", "android id", "phone id"}, "androidID"},
	{"P143", []string{"mac address", "hardware address", "mac addr"}, "MACAddress"},
	{"P145", []string{"imei", "iccid", "imsi", "meid"}, "simICCID"},
	{"P201", []string{"oaid", "gaid", "idfa", "advertising id", "ad id"}, "advertising_id"},
	{"P214", []string{"android id"}, "Android_ID"},
	{"P304", []string{"biometric", "biometrics", "face", "faceprint", "voiceprint", "iris", "fingerprint template"}, "login_face"},
	{"P305", []string{"biometric", "biometrics", "face", "faceprint", "voiceprint", "embedding"}, "FaceDigest"},
	{"P323", []string{"face", "id document", "passport number", "birth certificate"}, "ageFaceImage"},
	{"P135", []string{"telemetry", "analytics"}, "Telemetry"},
	{"P139", []string{"device model", "phone model", "hardware id", "mobile network", "mobile operator", "carrier"}, "phoneModel"},
	{"P140", []string{"network status", "network type", "connection type", "effective type"}, "network_status"},
	{"P144", []string{"imei", "imsi", "msisdn", "phone identity", "sim country", "sim operator"}, "simCountry"},
	{"P222", []string{"mailing list", "newsletter", "tracking pixel", "opened mail", "clicked link"}, "newsletter_opened"},
	{"P137", []string{"imei", "idfa", "mac address", "access point", "accelerometer", "gyroscope", "pages viewed"}, "gyroscope_x"},
}
