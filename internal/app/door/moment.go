package door

import (
	"time"

	"candor/internal/clock"
	"candor/internal/httpapi"
)

func moment(t *time.Time) httpapi.Moment {
	if t == nil || t.IsZero() {
		return 0
	}
	return httpapi.Moment(clock.At(*t))
}
