// Command candor is the connected-camera cloud: one binary with the web app inside.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"candor/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
