package rtsp

import "time"

// storm counts what may come thousands of times and lets it be told once in a while. One
// goroutine uses it.
type storm struct {
	every time.Duration
	n     int
	told  time.Time
}

// count counts one more. It returns how many there were since it was last told, or 0 when it is
// too early to tell again.
func (s *storm) count() int {
	s.n++
	if now := time.Now(); s.told.IsZero() || now.Sub(s.told) >= s.every {
		n := s.n
		s.n, s.told = 0, now
		return n
	}
	return 0
}
