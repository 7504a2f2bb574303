package buildplan

import (
	"reflect"
	"strings"
	"testing"
)

func nul(words ...string) []byte { return []byte(strings.Join(words, "\x00") + "\x00") }

func TestParseCross(t *testing.T) {
	const script = `#!/usr/bin/env bash
# NOTE: order matters
make all WHAT="${KUBE_SERVER_TARGETS[*]}" KUBE_BUILD_PLATFORMS="${KUBE_SERVER_PLATFORMS[*]}"
make all WHAT="${KUBE_NODE_TARGETS[*]}" KUBE_BUILD_PLATFORMS="${KUBE_NODE_PLATFORMS[*]}"
  make all WHAT="${KUBE_INDENTED_TARGETS[*]}"
make all WHAT="${KUBE_CLIENT_TARGETS[*]}" KUBE_BUILD_PLATFORMS="${KUBE_CLIENT_PLATFORMS[*]}"
make all WHAT="${KUBE_TEST_TARGETS[*]}" KUBE_BUILD_PLATFORMS="${KUBE_TEST_PLATFORMS[*]}"
make all WHAT="${KUBE_TEST_SERVER_TARGETS[*]}" KUBE_BUILD_PLATFORMS="${KUBE_TEST_SERVER_PLATFORMS[*]}"
`
	got, err := parseCross(script)
	if want := []string{"SERVER", "NODE", "CLIENT"}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %q (error %v), want %q", got, err, want)
	}
	if got, err := parseCross("make test\n"); err == nil {
		t.Errorf("got %q for a script without phases, want an error", got)
	}
}

func TestParseLayout(t *testing.T) {
	layout, err := parseLayout(nul(
		"SERVER", "cmd/kube-proxy", "cmd/kube-apiserver", "vendor/k8s.io/component-base/logs/kube-log-runner", "",
		"NODE", "cmd/kube-proxy", "cmd/kubelet", "",
		"CLIENT", "cmd/kubectl", ""))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ binary, phase, target string }{
		{"kube-apiserver", "server", "cmd/kube-apiserver"},
		{"kube-proxy", "node", "cmd/kube-proxy"}, // the later phase builds it again
		{"kube-log-runner", "server", "vendor/k8s.io/component-base/logs/kube-log-runner"},
		{"kubectl", "client", "cmd/kubectl"},
	} {
		phase, target, err := layout.Find(test.binary)
		if err != nil || phase != test.phase || target != test.target {
			t.Errorf("Find(%q) = %q, %q, %v, want %q, %q", test.binary, phase, target, err, test.phase, test.target)
		}
	}
	if _, _, err := layout.Find("proxy"); err == nil {
		t.Error(`Find("proxy") succeeded, want an error`)
	}
	for _, bad := range [][]byte{nil, nul(""), nul("SERVER"), nul("SERVER", ""), nul("SERVER", "cmd/x")} {
		if got, err := parseLayout(bad); err == nil {
			t.Errorf("parseLayout(%q) = %v, want an error", bad, got)
		}
	}
}

func TestParseRecord(t *testing.T) {
	record := nul(
		"/src", "5", "install", "-trimpath", "-ldflags=all=-X 'a=b'  -s -w", "k8s.io/a", "k8s.io/b", "GOOS=linux", "SHLVL=3", "CGO_ENABLED=0", "PWD=/src", "",
		"/src", "2", "install", "k8s.io/c", "CC=aarch64-linux-gnu-gcc", "EMPTY=", "LINES=one\ntwo", "")
	builds, err := parseRecord(record)
	if err != nil {
		t.Fatal(err)
	}
	want := []Build{
		{"/src", []string{"install", "-trimpath", "-ldflags=all=-X 'a=b'  -s -w", "k8s.io/a", "k8s.io/b"}, []string{"CGO_ENABLED=0", "GOOS=linux", "PWD=/src"}},
		{"/src", []string{"install", "k8s.io/c"}, []string{"CC=aarch64-linux-gnu-gcc", "EMPTY=", "LINES=one\ntwo"}},
	}
	if !reflect.DeepEqual(builds, want) {
		t.Fatalf("got %q, want %q", builds, want)
	}
	if got, want := builds[0].Packages(), []string{"k8s.io/a", "k8s.io/b"}; !reflect.DeepEqual(got, want) {
		t.Errorf("packages %q, want %q", got, want)
	}
	if !builds[0].Static() || builds[1].Static() {
		t.Errorf("static: %v and %v, want true and false", builds[0].Static(), builds[1].Static())
	}
	for name, bad := range map[string][]byte{
		"empty":           nil,
		"no count":        nul("/src"),
		"count no number": nul("/src", "many", "install", "x", "A=b", ""),
		"too few":         nul("/src", "9", "install", "x", ""),
		"no end":          nul("/src", "2", "install", "x", "A=b"),
		"no package":      nul("/src", "2", "install", "-v", "A=b", ""),
	} {
		if got, err := parseRecord(bad); err == nil {
			t.Errorf("%s: got %q, want an error", name, got)
		}
	}
}
