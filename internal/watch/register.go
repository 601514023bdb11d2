package watch

import (
	"context"
	"strings"

	"candor/internal/policy"
	"candor/internal/promise/absent"
)

// Purposes looks whether the policy that is obeyed has a purpose that was promised never to be one.
func Purposes(obeyed func() *policy.Policy) Probe {
	p := Probe{Name: "purposes", Promises: []string{"P236"}}
	for _, one := range absent.Purposes {
		p.Promises = append(p.Promises, one.Promise)
	}
	p.Look = func(context.Context) (broken []Broken, err error) {
		for _, u := range obeyed().Purposes {
			for _, one := range absent.Purposes {
				if one.In(u) {
					broken = append(broken, Broken{one.Promise, "purpose " + string(u.ID) + " is " + u.DPV})
				}
			}
			if strings.Contains(u.DPV, "Sell") || strings.Contains(u.DPV, "Sale") || strings.Contains(u.DPV, "Rent") {
				broken = append(broken, Broken{"P236", "purpose " + string(u.ID) + " is " + u.DPV})
			}
		}
		return broken, nil
	}
	return p
}

// carriers are the only roles in which somebody may receive data about people: they carry what a person is sent.
var carriers = []string{"e-mail", "messages"}

// Recipients looks whether the register that egress obeys has nobody in it who analyses, advertises or collects, and
// nobody about people without a contract.
func Recipients(obeyed func() *policy.Policy) Probe {
	return Probe{Name: "recipients", Promises: []string{"P199", "P288", "P186", "P230"}, Look: func(context.Context) (broken []Broken, err error) {
		for _, r := range obeyed().Recipients {
			carries := false
			for _, role := range carriers {
				carries = carries || r.Role == role
			}
			if r.People && !carries {
				why := r.ID + " receives data about people as " + r.Role
				broken = append(broken, Broken{"P199", why}, Broken{"P288", why})
			}
			if r.People && (r.Contract == "" || r.Assessed == "") {
				broken = append(broken, Broken{"P230", r.ID + " has no contract or was never assessed"})
			}
			for _, f := range r.Fields {
				if strings.Contains(f, "log") || strings.Contains(f, "crash") {
					broken = append(broken, Broken{"P186", r.ID + " receives " + f})
				}
			}
		}
		return broken, nil
	}}
}
