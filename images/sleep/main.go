// Sleep waits until it is told to end. It is the entrypoint of images that
// exist to have files copied out of them: a container of one has to run
// meanwhile, and there is nothing else in it that could.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// As process 1 of a container it gets no default action for signals: without
	// a handler, stopping the container would take until the kill.
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	<-end
}
