// Package e2e tests the whole way with real parts: a real Bazel, the official
// binaries, a real registry, and the clients that people pull with.
//
// It needs root, and from Debian docker-registry, skopeo, containerd, podman,
// docker.io, lz4 and zstd; crane
// it builds itself. Run it from the root of the repository:
//
//	go test -tags e2e -count 1 -timeout 80m -v ./e2e
//
// Every server it starts listens on 127.0.0.1 and ends with it.
package e2e
