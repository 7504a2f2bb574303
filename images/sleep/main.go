// Sleep runs until SIGINT or SIGTERM. It is the entrypoint of images whose files
// are copied to a host: the container must run meanwhile, and the image has no
// other program that could run in it.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// The kernel ignores the default action of signals for process 1: without a
	// handler, the container would run until SIGKILL.
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	<-end
}
