package seal

import "candor/internal/id"

// cached bounds how many subject and binding keys stay unwrapped. Bucket keys never do: they are
// unwrapped for one object or one batch of values.
const cached = 4096

// cache holds copies of unwrapped keys by id and by scope. It is emptied whole: when anything is
// destroyed, when somebody else changes the file, and when it is full.
type cache struct {
	limit  int
	byID   map[id.Key]*stored
	scopes map[Scope]id.Key
}

func newCache(limit int) *cache {
	return &cache{limit: limit, byID: map[id.Key]*stored{}, scopes: map[Scope]id.Key{}}
}

func (c *cache) put(s *stored) {
	if s.kind != kindSubject && s.kind != kindBinding {
		return
	}
	if len(c.byID) >= c.limit {
		c.empty()
	}
	if _, ok := c.byID[s.id]; !ok {
		c.byID[s.id] = s.clone()
		c.scopes[s.scope] = s.id
	}
}

func (c *cache) empty() {
	for k, s := range c.byID {
		s.key.zero()
		delete(c.byID, k)
	}
	clear(c.scopes)
}
