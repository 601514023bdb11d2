// Command candor-decode turns key pictures into JPEGs for candor, which starts it and talks to
// it over stdin and stdout. See internal/decode/child.
package main

import (
	"fmt"
	"os"
	"strings"

	"candor/internal/decode/child"
)

func main() {
	confinement, err := child.Enter()
	if err == nil {
		choice := ""
		for _, a := range os.Args[1:] {
			if v, ok := strings.CutPrefix(a, "--engine="); ok {
				choice = v
			}
		}
		err = child.Serve(os.Stdin, os.Stdout, choice, confinement)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "candor-decode:", err)
		os.Exit(1)
	}
}
