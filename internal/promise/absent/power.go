package absent

import "regexp"

// Power is something a browser lets a page do after asking, or without, that the app must not.
type Power struct {
	Promise string
	Name    string
	Calls   *regexp.Regexp
	Example string // a call that is found
}

func power(id, name, calls, example string) Power {
	return Power{id, name, regexp.MustCompile(calls), example}
}

// Powers are those.
var Powers = []Power{
	power("P247", "read the kind of network", `navigator\.connection|NetworkInformation`, "navigator.connection.type"),
	power("P219", "track across sites", `requestStorageAccess|attributionsrc|browsingTopics|joinAdInterestGroup`, "document.browsingTopics()"),
	power("P099", "work in the background", `backgroundFetch|periodicSync|SyncManager|\.sync\.register`, "registration.periodicSync.register('x')"),
	power("P221", "count what is opened", `sendBeacon|pixel\.gif|utm_source`, "navigator.sendBeacon('/seen')"),
	power("P068", "read files of the phone by itself", `showDirectoryPicker|<input[^>]*webkitdirectory|\.webkitdirectory\s*=[^=]|getFileSystem`, "window.showDirectoryPicker()"),
	power("P253", "read keys typed elsewhere", `EditContext|navigator\.keyboard`, "navigator.keyboard.getLayoutMap()"),
	power("P043", "change the network it is joined to", `onnectionManager|mozWifiManager|wifi\.associate`, `navigator.mozWifiManager.associate(network)`),
	power("P045", "change the state of the Wi-Fi", `wifi\.(enable|disable|connect)|setWifiEnabled`, `navigator.wifi.disable()`),
	power("P050", "override settings of the Wi-Fi", `wifi\.override|setNetworkSelection`, `navigator.wifi.override(settings)`),
	power("P046", "receive multicast", `UDPSocket|multicastController`, `new UDPSocket({ multicastAllowAddressSharing: true })`),
	power("P056", "receive multicast", `joinGroup\(|UDPSocket`, `socket.multicastController.joinGroup('239.255.255.250')`),
	power("P102", "start with the phone", `run_on_os_login|runOnOsLogin`, `run_on_os_login: 'windowed'`),
	power("P107", "change settings of sound", `audioSession|setSinkId|selectAudioOutput`, `player.setSinkId('speaker')`),
	power("P218", "draw over other apps", `documentPictureInPicture|getScreenDetails`, `documentPictureInPicture.requestWindow()`),
	power("P246", "ask for the network", `local-network-access|targetAddressSpace`, `fetch(url, { targetAddressSpace: 'private' })`),
	power("P248", "change settings of the system", `mozSettings|systemLanguage\s*=`, `navigator.mozSettings.createLock()`),
	power("P249", "turn off the key lock", `keyguard|DISABLE_KEYGUARD`, `navigator.keyguard.disable()`),
	power("P250", "change settings of the system", `WRITE_SETTINGS|navigator\.settings`, `navigator.settings.write({})`),
	power("P251", "change settings of syncing", `WRITE_SYNC_SETTINGS|navigator\.sync\b`, `navigator.sync.configure({})`),
	power("P252", "tell one connection from another", `effectiveType|saveData|downlink`, `if (net.effectiveType === '4g') start()`),
	power("P256", "use tools of the system", `getInstalledRelatedApps|registerProtocolHandler|launchQueue`, `navigator.getInstalledRelatedApps()`),
	power("P071", "read the album", `showOpenFilePicker|accept=[\"']image`, `<input type="file" accept="image/*">`),
	power("P072", "write to the album by itself", `mediaLibrary|saveToAlbum|showSaveFilePicker`, `window.showSaveFilePicker({ startIn: 'pictures' })`),
	power("P073", "send a file of the phone", `type=[\"']file|new FormData|FileReader`, `<input type="file">`),
	power("P149", "read files that nobody picked", `showDirectoryPicker|requestFileSystem|webkitRequestFileSystem`, `webkitRequestFileSystem(0, 1 << 20, read)`),
	power("P150", "write files that nobody asked for", `createWritable|createSyncAccessHandle|storage\.getDirectory`, `const dir = await navigator.storage.getDirectory()`),
	power("P184", "write photos by itself", `showSaveFilePicker|createWritable`, `const out = await handle.createWritable()`),
}

// Loads finds an address that a page would load from somewhere: as an attribute, an import, a
// fetch or a style. A link that a person may follow (href of an <a>) loads nothing.
var Loads = regexp.MustCompile(`(?i)(?:\bsrc=["'{]|\bimport\s+["']|\bfrom\s+["']|import\(\s*["']|fetch\(\s*["'` + "`" + `]|url\(\s*["']?|EventSource\(\s*["']|WebSocket\(\s*["']|<link[^>]+href=["'])(?:https?:|wss?:)?//[a-z0-9]`)
