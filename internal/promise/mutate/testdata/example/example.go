// Package example has controls for the mutation run's own test.
package example

import "candor/internal/promise"

// Double is the control of P113 here.
func Double(n int) int {
	if promise.Cut("P113") {
		return n
	}
	return 2 * n
}

// Triple is the control of P020 here.
func Triple(n int) int {
	if promise.Cut("P020") {
		return n
	}
	return 3 * n
}

// Must is the control of P001 here.
func Must() {
	if promise.Cut("P001") {
		panic("cut")
	}
}
