package whep

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/pion/webrtc/v4"

	"candor/internal/live"
	"candor/internal/media"
	"candor/internal/problem"
)

// codec is one format of an offer.
type codec struct {
	mime     string // lower case
	rate     uint32
	channels uint16
	fmtp     string
	payload  webrtc.PayloadType
}

// formats reads what an offer can receive. Lines that make no sense are passed over: an offer
// without a usable format is refused anyway.
func formats(offer string) []codec {
	var all []codec
	byType := map[string]int{} // index in all, within one media section
	for line := range strings.Lines(offer) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, "m="):
			clear(byType)
			if strings.HasPrefix(line, "m=audio ") { // static types need no rtpmap
				for _, f := range strings.Fields(line) {
					switch f {
					case "0":
						all = append(all, codec{mime: "audio/pcmu", rate: 8000, payload: 0})
					case "8":
						all = append(all, codec{mime: "audio/pcma", rate: 8000, payload: 8})
					}
				}
				byType["kind"] = 1
			}
		case strings.HasPrefix(line, "a=rtpmap:"):
			number, rest, _ := strings.Cut(line[len("a=rtpmap:"):], " ")
			parts := strings.Split(rest, "/")
			n, err := strconv.ParseUint(number, 10, 7)
			if err != nil || len(parts) < 2 || len(all) > 200 {
				continue
			}
			rate, err := strconv.ParseUint(parts[1], 10, 32)
			if err != nil {
				continue
			}
			c := codec{mime: "video/" + strings.ToLower(parts[0]), rate: uint32(rate), payload: webrtc.PayloadType(n)}
			if byType["kind"] == 1 {
				c.mime = "audio/" + strings.ToLower(parts[0])
			}
			if len(parts) > 2 {
				if ch, err := strconv.ParseUint(parts[2], 10, 8); err == nil {
					c.channels = uint16(ch)
				}
			}
			all = append(all, c)
			byType[number] = len(all)
		case strings.HasPrefix(line, "a=fmtp:"):
			number, rest, _ := strings.Cut(line[len("a=fmtp:"):], " ")
			if i := byType[number]; i > 0 && number != "kind" {
				all[i-1].fmtp = rest
			}
		}
	}
	return all
}

// param is one parameter of a format.
func (c codec) param(name string) string {
	for p := range strings.SplitSeq(c.fmtp, ";") {
		k, v, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(k, name) {
			return strings.ToLower(strings.TrimSpace(v))
		}
	}
	return ""
}

// pickVideo finds the format for an H.264 track: fragmented packets must be allowed; the same
// profile is best, and any other will do, because browsers decode what the stream says.
func pickVideo(all []codec, t *media.Track) (codec, bool) {
	want := strings.ToLower(strings.TrimPrefix(t.Profile, "avc1."))
	best, found, rank := codec{}, false, -1
	for _, c := range all {
		if c.mime != "video/h264" || c.rate != 90000 || c.param("packetization-mode") != "1" {
			continue
		}
		r, level := 0, c.param("profile-level-id")
		if len(want) == 6 && len(level) == 6 {
			switch {
			case level[:4] == want[:4]:
				r = 3
			case level[:2] == want[:2]:
				r = 2
			case level[:2] == "42":
				r = 1
			}
		}
		if r > rank {
			best, found, rank = c, true, r
		}
	}
	return best, found
}

// pickAudio finds the format for a sound track.
func pickAudio(all []codec, t *media.Track) (codec, bool) {
	mime := map[media.Codec]string{media.Opus: "audio/opus", media.PCMA: "audio/pcma", media.PCMU: "audio/pcmu"}[t.Codec]
	for _, c := range all {
		if mime == "" || c.mime != mime {
			continue
		}
		if t.Codec != media.Opus && (t.SampleRate != 8000 && t.SampleRate != 0 || t.Channels > 1) {
			continue // telephone formats are what they are
		}
		return c, true
	}
	return codec{}, false
}

// negotiate answers the offer and leaves v with its senders.
func (v *viewing) negotiate(ctx context.Context, offer string) (string, error) {
	if len(offer) > offerLimit {
		return "", problem.Invalid("live.offer")
	}
	video, audio, err := v.src.Ready(ctx, v.options)
	if err != nil {
		return "", err
	}
	if video.Codec != media.H264 {
		return "", live.Refused("live.browser")
	}
	if video.Reorder {
		return "", live.Refused("live.reorder")
	}
	all := formats(offer)
	vc, ok := pickVideo(all, video)
	if !ok {
		if !strings.Contains(offer, "m=video") {
			return "", problem.Invalid("live.offer")
		}
		return "", live.Refused("live.browser")
	}
	m := &webrtc.MediaEngine{}
	err = m.RegisterCodec(webrtc.RTPCodecParameters{PayloadType: vc.payload, RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeH264, ClockRate: 90000, SDPFmtpLine: vc.fmtp,
		RTCPFeedback: []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"}},
	}}, webrtc.RTPCodecTypeVideo)
	if err != nil {
		return "", err
	}
	if err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: playoutDelayURI}, webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverDirectionSendonly); err != nil {
		return "", err
	}
	v.video = newSender(media.H264, 90000)
	if v.options.Audio && audio != nil {
		ac, ok := pickAudio(all, audio)
		switch {
		case ok:
			err = m.RegisterCodec(webrtc.RTPCodecParameters{PayloadType: ac.payload, RTPCodecCapability: webrtc.RTPCodecCapability{
				MimeType: ac.mime, ClockRate: ac.rate, Channels: ac.channels, SDPFmtpLine: ac.fmtp,
			}}, webrtc.RTPCodecTypeAudio)
			if err != nil {
				return "", err
			}
			v.audio = newSender(audio.Codec, int64(ac.rate))
		case v.options.Strict:
			return "", live.Refused("live.audio")
		}
	}
	return v.answer(ctx, m, offer)
}

func (v *viewing) answer(ctx context.Context, m *webrtc.MediaEngine, offer string) (string, error) {
	pc, err := v.server.api(m).NewPeerConnection(webrtc.Configuration{Certificates: []webrtc.Certificate{v.server.cert}})
	if err != nil {
		return "", err
	}
	v.pc = pc
	pc.OnConnectionStateChange(v.onState)
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", problem.Invalid("live.offer").Because(err)
	}
	for _, s := range []*sender{v.video, v.audio} {
		if s == nil {
			continue
		}
		rtp, err := pc.AddTrack(s)
		if err != nil {
			return "", problem.Invalid("live.offer").Because(err)
		}
		go v.listen(rtp, s)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		return "", problem.Invalid("live.offer").Because(err)
	}
	if err := pc.SetLocalDescription(answer); err != nil {
		return "", problem.Invalid("live.offer").Because(err)
	}
	select {
	case <-gathered:
	case <-ctx.Done():
		return "", ctx.Err()
	case <-v.ctx.Done():
		return "", context.Cause(v.ctx)
	}
	local := pc.LocalDescription()
	if local == nil {
		return "", errors.New("no local description")
	}
	return local.SDP, nil
}
