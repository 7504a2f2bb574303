package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// countingHandler counts requests.
type countingHandler struct {
	http.Handler
	requests atomic.Int64
}

func (s *countingHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	s.Handler.ServeHTTP(w, r)
}

// pushImage pushes an image with one file, for the architecture of this machine.
func pushImage(t *testing.T, host, path, content string) (byDigest string) {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := w.WriteHeader(&tar.Header{Name: path, Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg})
	if err == nil {
		_, err = io.WriteString(w, content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(b.Bytes())), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	if img, err = mutate.ConfigFile(img, config); err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag(host + "/x:v1")
	if err == nil {
		err = remote.Write(tag, img)
	}
	if err != nil {
		t.Fatal(err)
	}
	digest, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return tag.Digest(digest.String()).Name()
}

// The program installs from a server and a registry.
func TestInstallFromNetwork(t *testing.T) {
	requireLinux(t)
	const page, program, other = "<!DOCTYPE html><title>Sign in", "\x7fELF one", "\x7fELF two"
	web := &countingHandler{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/page" {
			fmt.Fprint(w, page)
			return
		}
		fmt.Fprint(w, program)
	})}
	server := httptest.NewTLSServer(web)
	defer server.Close()
	images := &countingHandler{Handler: registry.New(registry.Logger(log.New(io.Discard, "", 0)))}
	hub := httptest.NewServer(images)
	defer hub.Close()
	ref := pushImage(t, strings.TrimPrefix(hub.URL, "http://"), "usr/local/bin/two", other)

	dir := t.TempDir()
	if err := image(t, dir); err != nil {
		t.Fatal(err)
	}
	host := t.TempDir()
	certificates := filepath.Join(dir, "certificates")
	if err := os.WriteFile(certificates, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	install := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "hyperkube"), append([]string{"install", "--to", host}, args...)...)
		cmd.Env = []string{"SSL_CERT_FILE=" + certificates, "DOCKER_CONFIG=" + dir}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	sum := func(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }
	one := "one=" + server.URL + "/one#sha256=" + sum(program)
	two := "two=image:" + ref + "!/usr/local/bin/two"

	out, err := install(one, "page="+server.URL+"/page#sha256="+sum(program))
	if err == nil || !strings.Contains(out, `verifying "page" from `+server.URL+"/page: want sha256 "+sum(program)) || !strings.Contains(out, "the file is an HTML page") {
		t.Errorf("installing a page: %v: %s", err, out)
	}
	if entries, err := os.ReadDir(host); len(entries) != 0 || err != nil {
		t.Errorf("directory has %v, %v; want no files", entries, err)
	}

	want := "installed one sha256:" + sum(program) + "\ninstalled two sha256:" + sum(other) + "\n"
	if out, err = install(one, two); out != want || err != nil {
		t.Errorf("got %v: %s\nwant %s", err, out, want)
	}
	for name, want := range map[string]string{"one": program, "two": other} {
		if data, err := os.ReadFile(filepath.Join(host, name)); string(data) != want || err != nil {
			t.Errorf("%s is %q, %v; want %q", name, data, err, want)
		}
	}

	// A layer is read once, however many programs it has.
	requests := images.requests.Load()
	if out, err = install("two=image:"+ref+"!/usr/local/bin/two", "three=image:"+ref+"!/usr/local/bin/two"); err != nil || !strings.Contains(out, "installed three sha256:"+sum(other)) {
		t.Errorf("got %v: %s", err, out)
	}
	// The requests are those for the API version, manifest, config and layer.
	if n := images.requests.Load() - requests; n != 4 {
		t.Errorf("%d requests for two programs of one layer, want 4", n)
	}

	// Installed programs with a given sum need no network.
	before := web.requests.Load() + images.requests.Load()
	want = strings.ReplaceAll(want, "installed", "unchanged")
	if out, err = install(one, two+"#sha256="+sum(other)); out != want || err != nil {
		t.Errorf("got %v: %s\nwant %s", err, out, want)
	}
	if after := web.requests.Load() + images.requests.Load(); after != before {
		t.Errorf("%d requests for installed programs", after-before)
	}
	if out, err = install(one, two); out != want || err != nil {
		t.Errorf("got %v: %s\nwant %s", err, out, want)
	}
}
