// Package differential holds the image vector library of this repository to
// Gardener's own, input by input: what compatible reading makes of a text, of a
// look-up and of an overwrite must be what Gardener makes of it, errors to the
// byte. It is a module of its own, so that nobody who uses the library pays for
// Gardener.
//
//	go test .                       # thousands of look-ups
//	go test . -vectors=200000       # millions
//	go test . -fuzz=FuzzRead        # texts that nobody thought of
//	go run ./bench                  # how fast, against Gardener in the same run
package differential
