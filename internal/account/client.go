package account

import "strings"

// ClientKind reduces a User-Agent header to the browser's family and the kind of machine, as in
// "Chrome on Android". Versions, models and everything else are dropped.
func ClientKind(userAgent string) string {
	browser := first(userAgent, "Browser",
		"Edg/", "Edge", "EdgA/", "Edge", "EdgiOS/", "Edge", "OPR/", "Opera", "SamsungBrowser/", "Samsung Internet", "Firefox/", "Firefox", "FxiOS/", "Firefox",
		"CriOS/", "Chrome", "Chrome/", "Chrome", "Version/", "Safari", "curl/", "curl", "Candor/", "Candor")
	system := first(userAgent, "",
		"Android", "Android", "iPhone", "iPhone", "iPad", "iPad", "CrOS", "ChromeOS", "Windows", "Windows", "Macintosh", "Mac", "Linux", "Linux")
	if system == "" {
		return browser
	}
	return browser + " on " + system
}

// first gives the name that belongs to the first mark found.
func first(in, otherwise string, marksAndNames ...string) string {
	for i := 0; i < len(marksAndNames); i += 2 {
		if strings.Contains(in, marksAndNames[i]) {
			return marksAndNames[i+1]
		}
	}
	return otherwise
}
