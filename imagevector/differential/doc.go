// Package differential compares the image vector library of this repository with
// that of Gardener: the results of compatible reading, lookups and overwrites must be
// equal, and error texts byte for byte. It is a module of its own, so that users of
// the library do not depend on Gardener, and it is not in go.work:
//
//	export GOWORK=off
//	go test .                       # thousands of lookups
//	go test . -vectors=200000       # millions of lookups
//	go test . -fuzz=FuzzRead        # generated texts
//	go run ./bench                  # speed, compared with Gardener
package differential
