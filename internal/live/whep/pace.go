package whep

import "time"

// A browser's socket holds some hundred packets, and repeating does not rescue an overflow: so
// no more than ten packets leave in a millisecond, a live key picture's included.
const (
	perMillisecond = 10
	catchUpPackets = 20 // after a late wake-up
)

// pacer spreads packets over time. It belongs to one goroutine.
type pacer struct {
	room int
	at   time.Time
}

// wait returns when one more packet may go.
func (p *pacer) wait() {
	if p.room > 0 {
		p.room--
		return
	}
	now := time.Now()
	if since := now.Sub(p.at); since < time.Millisecond {
		time.Sleep(time.Millisecond - since)
		now = time.Now()
	}
	p.room = min(int(now.Sub(p.at)*perMillisecond/time.Millisecond), catchUpPackets)
	p.at = now
	p.room--
}
