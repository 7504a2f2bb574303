// Package e2e has the end-to-end tests. They use Bazel, the official binaries, a
// registry, and the usual clients.
//
// The tests need root, the Debian packages in .ci/packages, and a kernel with both
// backends of iptables, nft and legacy. They build crane.
// Run them with .ci/test-e2e, or in the root of the repository:
//
//	go test -tags e2e -count 1 -timeout 80m -v ./e2e
//
// All servers listen on 127.0.0.1 and end with the tests.
package e2e
