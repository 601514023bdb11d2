package door

import (
	"candor/internal/httpapi"
	"candor/internal/live"
	"candor/internal/media"
)

// stream describes one stream for choosing how to show it.
func stream(profile media.Profile, d *media.Description) (httpapi.Stream, bool) {
	if d == nil {
		return httpapi.Stream{}, false
	}
	s, ok := live.State(profile, d)
	if !ok {
		return httpapi.Stream{}, false
	}
	out := httpapi.Stream{
		Profile: string(profile), Codec: string(s.Codec), RFC6381: s.RFC6381, Width: s.Width, Height: s.Height, FPS: s.FPS, Reorder: s.Reorder,
	}
	if s.Audio != nil {
		out.Audio = &httpapi.Audio{Codec: string(s.Audio.Codec), RFC6381: s.Audio.RFC6381, SampleRate: s.Audio.SampleRate, Channels: s.Audio.Channels}
	}
	return out, true
}

// warnings are what works, but not as well as it could.
func warnings(d *media.Description) []httpapi.Warning {
	var out []httpapi.Warning
	if v := d.Video(); v != nil && v.Reorder {
		out = append(out, httpapi.Warning{Code: "camera.warns_reorder"})
	}
	if a := d.Audio(); a != nil && a.Codec == media.AAC {
		out = append(out, httpapi.Warning{Code: "camera.warns_aac"})
	}
	return out
}
