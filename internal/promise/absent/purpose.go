package absent

import (
	"strings"

	"candor/internal/policy"
)

// Purpose is something that data must not serve, with what the vocabularies call it.
type Purpose struct {
	Promise string
	DPV     []string // parts of the name
	Example policy.Purpose
}

// In reports whether a purpose of a policy is one of these.
func (n Purpose) In(u policy.Purpose) bool {
	for _, part := range n.DPV {
		if strings.Contains(u.DPV, part) {
			return true
		}
	}
	return false
}

// Purposes are those.
var Purposes = []Purpose{
	{"P223", []string{"Marketing", "Advertis", "Promot"}, policy.Purpose{ID: "news", DPV: "dpv:DirectMarketing", Fideslang: "marketing.communications.email"}},
	{"P226", []string{"Contest", "Sweepstake", "Lottery", "Prize"}, policy.Purpose{ID: "raffle", DPV: "dpv:ContestParticipation", Fideslang: "functional.contest"}},
	{"P188", []string{"Improve", "Optimi", "Research", "Develop", "Analytics"}, policy.Purpose{ID: "better", DPV: "dpv:ImproveExistingProductsAndServices", Fideslang: "functional.improve"}},
	{"P189", []string{"Personali", "Profil", "Recommend", "Search"}, policy.Purpose{ID: "fit", DPV: "dpv:ServicePersonalisation", Fideslang: "functional.fit"}},
}
