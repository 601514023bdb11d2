package mail

import (
	"slices"
	"sync"
	"time"
)

// Outbox holds the newest letters instead of sending them.
type Outbox struct {
	mu      sync.Mutex
	letters []Shown
}

// Shown is a letter in the outbox.
type Shown struct {
	At                time.Time
	To, Subject, Text string
}

const outboxSize = 50

func (o *Outbox) put(at time.Time, m Message) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.letters = append(o.letters, Shown{at, m.To, m.Subject, m.Text})
	if over := len(o.letters) - outboxSize; over > 0 {
		o.letters = slices.Delete(o.letters, 0, over)
	}
}

// Letters lists what is there, newest first.
func (o *Outbox) Letters() []Shown {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := slices.Clone(o.letters)
	slices.Reverse(out)
	return out
}
