// Iptables-wrapper executes the iptables backend, nft or legacy, that the network
// namespace uses, and directs later calls to it. Links of update-alternatives have
// it called as iptables, iptables-save, iptables-restore, and the same of ip6tables.
//
// A container in the host's network must use the backend of the host, because the
// kernel evaluates the rules of both.
package main

import (
	"fmt"
	"os"
)

func main() {
	err := run(os.Args, os.Environ())
	fmt.Fprintf(os.Stderr, "iptables-wrapper: %v\n", err)
	os.Exit(1)
}
