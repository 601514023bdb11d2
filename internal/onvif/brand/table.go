package brand

// table is what is known. A make whose cameras are another's under a new name is listed by the name
// that its owners look for.
var table = []Brand{
	{ID: "amcrest", Name: "Amcrest", User: "admin", Paths: dahua, marks: []string{"amcrest"}},
	{ID: "annke", Name: "Annke", User: "admin", Paths: hikvision, marks: []string{"annke"}},
	{ID: "axis", Name: "Axis", User: "root", Paths: []Paths{
		{Main: "/axis-media/media.amp?videocodec=h264", Sub: "/axis-media/media.amp?videocodec=h264&resolution=640x360"},
	}, marks: []string{"axis"}},
	{ID: "dlink", Name: "D-Link", User: "admin", Paths: []Paths{{Main: "/live1.sdp", Sub: "/live2.sdp"}, {Main: "/play1.sdp", Sub: "/play2.sdp"}}, marks: []string{"d-link", "dlink"}},
	{ID: "dahua", Name: "Dahua", User: "admin", Paths: dahua, marks: []string{"dahua"}},
	{ID: "eseecloud", Name: "EseeCloud / Juan", User: "admin", Paths: []Paths{{Main: "/ch0_0.h264", Sub: "/ch0_1.h264"}, {Main: "/live/ch00_0", Sub: "/live/ch00_1"}}, marks: []string{"juan", "eseecloud"}},
	{ID: "eufy", Name: "Eufy", Note: true, Paths: []Paths{{Main: "/live0"}}, marks: []string{"eufy"}},
	{ID: "ezviz", Name: "EZVIZ", User: "admin", Note: true, Paths: append([]Paths{{Main: "/h264_stream"}}, hikvision...), marks: []string{"ezviz"}},
	{ID: "foscam", Name: "Foscam", User: "admin", Paths: []Paths{{Main: "/videoMain", Sub: "/videoSub"}, {Port: "88", Main: "/videoMain", Sub: "/videoSub"}}, marks: []string{"foscam"}},
	{ID: "hanwha", Name: "Hanwha / Samsung", User: "admin", Paths: []Paths{{Main: "/profile2/media.smp", Sub: "/profile3/media.smp"}, {Main: "/profile1/media.smp"}}, marks: []string{"hanwha", "samsung", "wisenet"}},
	{ID: "hikvision", Name: "Hikvision", User: "admin", Note: true, Paths: hikvision, marks: []string{"hikvision", "hik"}},
	{ID: "imou", Name: "Imou", User: "admin", Note: true, Paths: dahua, marks: []string{"imou"}},
	{ID: "lorex", Name: "Lorex", User: "admin", Paths: dahua, marks: []string{"lorex"}},
	{ID: "reolink", Name: "Reolink", User: "admin", Note: true, Paths: []Paths{
		{Main: "/h264Preview_01_main", Sub: "/h264Preview_01_sub"}, {Main: "/Preview_01_main", Sub: "/Preview_01_sub"},
	}, marks: []string{"reolink"}},
	{ID: "tapo", Name: "TP-Link Tapo / VIGI", Note: true, Paths: []Paths{{Main: "/stream1", Sub: "/stream2"}}, marks: []string{"tp-link", "tapo", "vigi"}},
	{ID: "unifi", Name: "Ubiquiti UniFi", Note: true, marks: []string{"ubiquiti", "unifi"}},
	{ID: "uniview", Name: "Uniview", User: "admin", Paths: []Paths{{Main: "/media/video1", Sub: "/media/video2"}, {Main: "/unicast/c1/s0/live", Sub: "/unicast/c1/s1/live"}}, marks: []string{"uniview", "unv"}},
	{ID: "vivotek", Name: "Vivotek", User: "root", Paths: []Paths{{Main: "/live.sdp", Sub: "/live2.sdp"}, {Main: "/live1s1.sdp", Sub: "/live1s2.sdp"}}, marks: []string{"vivotek"}},
	{ID: "wyze", Name: "Wyze", Note: true, Paths: []Paths{{Main: "/live"}}, marks: []string{"wyze"}},
	{ID: "generic", Name: "", Paths: []Paths{
		{Main: "/stream1", Sub: "/stream2"}, {Main: "/11", Sub: "/12"}, {Main: "/live/ch00_0", Sub: "/live/ch00_1"},
		{Main: "/h264"}, {Main: "/live"}, {Main: "/"},
	}},
}

var hikvision = []Paths{
	{Main: "/Streaming/Channels/101", Sub: "/Streaming/Channels/102"},
	{Main: "/h264/ch1/main/av_stream", Sub: "/h264/ch1/sub/av_stream"},
}

var dahua = []Paths{{Main: "/cam/realmonitor?channel=1&subtype=0", Sub: "/cam/realmonitor?channel=1&subtype=1"}}
