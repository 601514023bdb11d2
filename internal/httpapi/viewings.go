package httpapi

import (
	"net/http"
	"sync"

	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
)

// viewings counts the leases each account holds, and remembers those that outlive their
// request, by the name the browser ends them with.
type viewings struct {
	mu   sync.Mutex
	held map[id.Account]int
	open map[id.Viewing]viewing
}

type viewing struct {
	account id.Account
	lease   *permit.Lease
}

func newViewings() *viewings {
	return &viewings{held: map[id.Account]int{}, open: map[id.Viewing]viewing{}}
}

// reserve makes room for one more, or says that there is none.
func (v *viewings) reserve(a id.Account, limit int) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.held[a] >= limit {
		return problem.New(http.StatusTooManyRequests, "viewing.too_many").With("retry_after", "5")
	}
	v.held[a]++
	return nil
}

func (v *viewings) release(a id.Account) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.held[a]--; v.held[a] <= 0 {
		delete(v.held, a)
	}
}

// keep remembers an open viewing until its lease ends.
func (v *viewings) keep(name id.Viewing, a id.Account, l *permit.Lease) {
	v.mu.Lock()
	v.open[name] = viewing{a, l}
	v.mu.Unlock()
	l.OnEnd(func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		delete(v.open, name)
	})
}

// find gives an account's own viewing.
func (v *viewings) find(name id.Viewing, a id.Account) (*permit.Lease, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	o, ok := v.open[name]
	return o.lease, ok && o.account == a
}

func (v *viewings) endAll() {
	v.mu.Lock()
	var all []*permit.Lease
	for _, o := range v.open {
		all = append(all, o.lease)
	}
	v.mu.Unlock()
	for _, l := range all {
		l.End(permit.ErrEnded)
	}
}
