// Package housetest holds the house rules that can be checked by reading the source: which room
// may import which, who may dial out, who makes permits, what every file and package must have,
// and what must be nowhere because the policy promises its absence.
//
// It has tests only. A rule that fails prints its reason. To change a rule, change the table in
// the test together with the reason, and say why in the commit.
package housetest
