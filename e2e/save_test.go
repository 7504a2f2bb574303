//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// savedImage is an image in an archive.
type savedImage struct {
	name, layout string
	record       digests
	config       string   // digest of the config for this machine
	runArgs      []string // of podman run
}

// saveBoth builds the layouts of both flavors with Bazel, and saves both images
// into one archive for each compression.
func saveBoth(t *testing.T) (images []savedImage, files map[string]string) {
	t.Helper()
	host, other := "linux/"+runtime.GOARCH, platforms[0]
	if host == other {
		other = platforms[1]
	}
	images = []savedImage{
		{name: "registry.example/k8s/hyperkube:" + version, layout: bazelOutput(t, "//images:v1_36_0"), record: record(t, "hyperkube:"+version), runArgs: []string{"--entrypoint", "/kubectl"}},
		{name: "registry.example/k8s/kubectl:" + version, layout: bazelOutput(t, "//images:kubectl_v1_36_0"), record: record(t, "kubectl:"+version)},
	}
	dir := t.TempDir()
	files = map[string]string{}
	for compression, extension := range map[string]string{"none": "tar", "zstd": "tar.zst", "lz4": "tar.lz4"} {
		files[compression] = filepath.Join(dir, "both."+extension)
		args := []string{"run", "./tools/hk", "save", "-o", files[compression], "--compression", compression, "--platform", host, "--platform", other}
		for _, image := range images {
			args = append(args, image.name+"="+image.layout)
		}
		must(t, "go", args...)
	}
	var list struct {
		Images []struct {
			Name      string
			Platforms []struct{ Platform, Config string }
		}
		Blobs []struct{}
	}
	if err := json.Unmarshal([]byte(must(t, "go", "run", "./tools/hk", "list", files["none"], "--json")), &list); err != nil {
		t.Fatal(err)
	}
	// Two indexes, four manifests, four configs and six layers: those of hyperkube,
	// which include those of kubectl.
	if len(list.Images) != 2 || len(list.Blobs) != 2+4+4+6 {
		t.Fatalf("%d images, %d blobs; want 2 and 16", len(list.Images), len(list.Blobs))
	}
	for i, image := range list.Images {
		for _, p := range image.Platforms {
			if p.Platform == host {
				images[i].config = p.Config
			}
		}
	}
	return images, files
}

// bazelOutput builds a target and returns the path of its output.
func bazelOutput(t *testing.T, target string) string {
	t.Helper()
	must(t, "./bazelw", "build", target)
	path, err := filepath.EvalSymlinks(filepath.Join(root(t), strings.TrimSpace(must(t, "./bazelw", "cquery", "--output=files", target))))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Bazel and the Go builder must make the same archive.
func TestSaveTwoBuilders(t *testing.T) {
	byBazel := bazelOutput(t, "//images:save_kubectl_v1_36_0")
	byGo := filepath.Join(t.TempDir(), "kubectl.tar")
	must(t, "go", "run", "./tools/hk", "save", "-o", byGo, "kubectl:"+version)
	if a, b := digestFile(t, byBazel), digestFile(t, byGo); a != b || filepath.Base(byBazel) != "save_v1_36_0.tar" {
		t.Errorf("%s: sha256 %s by Bazel, %s by Go", byBazel, a, b)
	}
	if got, want := must(t, "go", "run", "./tools/hk", "list", byBazel), "/kubectl:"+version+" "+record(t, "kubectl:"+version).Index+"\n"; !strings.Contains(got, want) {
		t.Errorf("hk list printed %q, want %q", got, want)
	}
}

func TestSavedImages(t *testing.T) {
	images, files := saveBoth(t)
	// Clients that cannot read a compression need these programs.
	for _, program := range []string{"lz4", "zstd"} {
		t.Run(program, func(t *testing.T) { unpacks(t, program, files[program], files["none"]) })
	}
	t.Run("docker none", func(t *testing.T) { dockerLoads(t, files["none"], images) })
	for _, compression := range []string{"none", "zstd"} {
		file := files[compression]
		t.Run("skopeo "+compression, func(t *testing.T) { skopeoReads(t, file, images) })
		t.Run("podman "+compression, func(t *testing.T) { podmanLoads(t, file, images) })
	}
	t.Run("containerd none", func(t *testing.T) { containerdImports(t, files["none"], images, "--all-platforms") })
	// Clients must be able to read an archive of one platform.
	one := filepath.Join(t.TempDir(), "one.tar")
	must(t, "go", "run", "./tools/hk", "save", "-o", one, "--platform", "linux/"+runtime.GOARCH, images[1].name+"="+images[1].layout)
	t.Run("one platform", func(t *testing.T) {
		containerdImports(t, one, images[1:], "--platform=linux/"+runtime.GOARCH)
		podmanLoads(t, one, images[1:])
		dockerLoads(t, one, images[1:])
		must(t, client(t, "skopeo"), "copy", "oci-archive:"+one, "dir:"+t.TempDir())
		must(t, client(t, "skopeo"), "copy", "docker-archive:"+one, "dir:"+t.TempDir())
	})
}

func unpacks(t *testing.T, program, file, want string) {
	cmd := exec.CommandContext(t.Context(), client(t, program), "-dc", file)
	var stderr bytes.Buffer
	sum := sha256.New()
	cmd.Stdout, cmd.Stderr = sum, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	if got, want := fmt.Sprintf("%x", sum.Sum(nil)), digestFile(t, want); got != want {
		t.Errorf("%s: uncompressed sha256 %s, want %s", file, got, want)
	}
}

// skopeoReads reads every image by its name, as an OCI archive and as a Docker
// archive.
func skopeoReads(t *testing.T, file string, images []savedImage) {
	skopeo := client(t, "skopeo")
	for _, image := range images {
		from := "oci-archive:" + file + ":" + image.name
		if got := sum(must(t, skopeo, "inspect", "--raw", from)); got != image.record.Index {
			t.Errorf("%s: index %s, want %s", from, got, image.record.Index)
		}
		to := t.TempDir()
		must(t, skopeo, "copy", "--all", "--preserve-digests", from, "oci:"+to+":copy")
		for _, digest := range append([]string{image.record.Index}, values(image.record.Manifests)...) {
			if _, err := os.Stat(filepath.Join(to, "blobs", "sha256", strings.TrimPrefix(digest, "sha256:"))); err != nil {
				t.Errorf("%s: not copied: %v", from, err)
			}
		}
		from = "docker-archive:" + file + ":" + image.name
		if got := sum(must(t, skopeo, "inspect", "--config", "--raw", from)); got != image.config {
			t.Errorf("%s: config %s, want %s", from, got, image.config)
		}
		must(t, skopeo, "copy", from, "dir:"+t.TempDir())
	}
}

// newPodman returns a function that runs podman, with its own storage.
func newPodman(t *testing.T) func(args ...string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hk-pod-") // short: the length of a socket's path is limited
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return func(args ...string) string {
		t.Helper()
		return must(t, client(t, "podman"), append([]string{
			"--root", filepath.Join(dir, "root"), "--runroot", filepath.Join(dir, "run"), "--tmpdir", filepath.Join(dir, "tmp"),
			"--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "none", "--runtime", "runc",
		}, args...)...)
	}
}

// podmanLoads loads and runs the images.
func podmanLoads(t *testing.T, file string, images []savedImage) {
	podman := newPodman(t)
	out := podman("load", "-i", file)
	for _, image := range images {
		if !strings.Contains(out, image.name) {
			t.Errorf("podman printed %q, want %s in it", out, image.name)
		}
		if got := "sha256:" + strings.TrimSpace(podman("image", "inspect", "--format", "{{.Id}}", image.name)); got != image.config {
			t.Errorf("%s: ID %s, want %s", image.name, got, image.config)
		}
		// The default limits need a capability that a container may not have.
		args := slices.Concat([]string{"run", "--rm", "--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"},
			image.runArgs, []string{image.name, "version", "--client"})
		if out := podman(args...); !strings.Contains(out, "Client Version: "+version+"\n") {
			t.Errorf("%s: kubectl printed %q", image.name, out)
		}
	}
	if n := len(strings.Fields(podman("images", "--all", "--quiet"))); n != len(images) {
		t.Errorf("%d images, want %d", n, len(images))
	}
	if len(images) == 1 { // podman reads an archive of several images as a Docker archive
		if got := strings.TrimSpace(podman("image", "inspect", "--format", "{{.Digest}}", images[0].name)); got != images[0].record.Index {
			t.Errorf("%s: digest %s, want %s", images[0].name, got, images[0].record.Index)
		}
	}
}

// dockerLoads loads the images into a new dockerd. It uses the API, because not
// every package of Docker has the client.
func dockerLoads(t *testing.T, file string, images []savedImage) {
	_, docker := dockerd(t)
	raw, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	out := docker(http.MethodPost, "/images/load?quiet=1", raw)
	for _, image := range images {
		if want := "Loaded image: " + image.name; !strings.Contains(out, want) {
			t.Errorf("docker printed %q, want %q", out, want)
		}
		var got struct {
			ID           string
			RepoTags     []string
			Architecture string
		}
		if err := json.Unmarshal([]byte(docker(http.MethodGet, "/images/"+image.name+"/json", nil)), &got); err != nil {
			t.Fatal(err)
		}
		// With the image store of containerd, the ID is the digest of the index.
		if got.ID != image.config && got.ID != image.record.Index || got.Architecture != runtime.GOARCH || !slices.Equal(got.RepoTags, []string{image.name}) {
			t.Errorf("%s: got %+v, want the ID %s", image.name, got, image.config)
		}
	}
	var all []struct{}
	if err := json.Unmarshal([]byte(docker(http.MethodGet, "/images/json?all=1", nil)), &all); err != nil || len(all) != len(images) {
		t.Errorf("%d images, %v; want %d", len(all), err, len(images))
	}
}

// The load target loads the image for this machine into docker. Its layout has
// symlinks of Bazel, which other readers of layouts do not follow.
func TestLoad(t *testing.T) {
	client(t, "docker")
	socket, docker := dockerd(t)
	loaded := run(t, []string{"DOCKER_HOST=unix://" + socket}, "./bazelw", "run", "//tools/conformance:load_bare")
	if loaded.code != 0 {
		t.Fatalf("exit code %d\n%s", loaded.code, loaded.stderr)
	}
	var got struct {
		Architecture string
		RepoTags     []string
	}
	if err := json.Unmarshal([]byte(docker(http.MethodGet, "/images/registry.invalid/bare:v1/json", nil)), &got); err != nil {
		t.Fatal(err)
	}
	if got.Architecture != runtime.GOARCH || !slices.Equal(got.RepoTags, []string{"registry.invalid/bare:v1"}) {
		t.Errorf("got %+v", got)
	}
}

// dockerd starts a dockerd with its own directories and without a network. It
// returns its socket and a function that sends a request.
func dockerd(t *testing.T) (socket string, request func(method, path string, body io.Reader) string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "hk-dock-") // short: the length of a socket's path is limited
	if err != nil {
		t.Fatal(err)
	}
	socket = filepath.Join(dir, "sock")
	config := filepath.Join(dir, "config.json")
	if err := os.WriteFile(config, []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.Command(client(t, "dockerd"), "--config-file", config, "--data-root", filepath.Join(dir, "data"), "--exec-root", filepath.Join(dir, "exec"),
		"--pidfile", filepath.Join(dir, "pid"), "--host", "unix://"+socket, "--storage-driver", "vfs", "--bridge", "none",
		"--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false")
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // interrupted
		if t.Failed() {
			t.Logf("log of docker:\n%s", log.String())
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	try := func(method, path string, body io.Reader) (string, error) {
		request, err := http.NewRequestWithContext(t.Context(), method, "http://docker"+path, body)
		if err != nil {
			return "", err
		}
		request.Header.Set("Content-Type", "application/x-tar")
		response, err := transport.RoundTrip(request)
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		out, err := io.ReadAll(response.Body)
		if err == nil && response.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %s", response.Status, out)
		}
		return string(out), err
	}
	wait(t, "docker", func() error {
		_, err := try(http.MethodGet, "/_ping", nil)
		return err
	})
	return socket, func(method, path string, body io.Reader) string {
		t.Helper()
		t.Logf("docker: %s %s", method, path)
		out, err := try(method, path, body)
		if err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
		return out
	}
}

// containerdImports imports the archive and checks the digests.
func containerdImports(t *testing.T, file string, images []savedImage, platforms string) {
	ctr := func(args ...string) string {
		t.Helper()
		return must(t, client(t, "ctr"), args...)
	}
	address := containerd(t)
	ctr("-a", address, "images", "import", "--snapshotter", "native", platforms, file)
	list := ctr("-a", address, "images", "list")
	for _, image := range images {
		found := false
		for line := range strings.Lines(list) {
			if f := strings.Fields(line); len(f) > 2 && f[0] == image.name {
				found = f[2] == image.record.Index
			}
		}
		if !found {
			t.Errorf("%s with digest %s not found:\n%s", image.name, image.record.Index, list)
		}
	}
	mount := t.TempDir()
	ctr("-a", address, "images", "mount", "--snapshotter", "native", "--platform", "linux/"+runtime.GOARCH, images[0].name, mount)
	defer ctr("-a", address, "images", "unmount", mount)
	want := pin(t, "kubernetes/"+version+"/linux/"+runtime.GOARCH+"/kubectl").SHA256.String()
	if got := digestFile(t, filepath.Join(mount, "kubectl")); got != want {
		t.Errorf("kubectl: sha256 %s, want %s", got, want)
	}
}

func sum(s string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(s))) }

func values(m map[string]string) (list []string) {
	for _, v := range m {
		list = append(list, v)
	}
	return list
}
