//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// images are the tested images, and their files: path to the key of a pin.
var images = []struct {
	flavor, target, push, repository string
	files                            map[string]string
}{
	{"hyperkube", "//images:v1_36_0", "//images:push_v1_36_0", "hyperkube", map[string]string{
		"/kubelet": "kubernetes/" + version + "/%s/kubelet",
		"/kubectl": "kubernetes/" + version + "/%s/kubectl",
		"/sleep":   "programs/%s/sleep",
	}},
	{"kubectl", "//images:kubectl_v1_36_0", "//images:push_kubectl_v1_36_0", "kubectl", map[string]string{
		"/kubectl": "kubernetes/" + version + "/%s/kubectl",
	}},
}

var platforms = []string{"linux/amd64", "linux/arm64"}

func TestPushAndPull(t *testing.T) {
	r := startRegistry(t)
	for _, image := range images {
		t.Run(image.flavor, func(t *testing.T) {
			repository := r.addr + "/" + image.repository
			must(t, "./bazelw", "run", image.push, "--", "--repository", repository)
			ref := repository + ":" + version
			want := record(t, image.flavor+":"+version)

			t.Run("crane", func(t *testing.T) {
				crane := craneCommand(t)
				if got := strings.TrimSpace(must(t, crane, "digest", ref)); got != want.Index {
					t.Errorf("index %s, want %s", got, want.Index)
				}
				must(t, crane, "validate", "--remote", ref)
				for _, platform := range platforms {
					if got := strings.TrimSpace(must(t, crane, "digest", "--platform", platform, ref)); got != want.Manifests[platform] {
						t.Errorf("%s: manifest %s, want %s", platform, got, want.Manifests[platform])
					}
					checkFiles(t, export(t, ref, platform), image.files, platform)
				}
			})
			t.Run("skopeo", func(t *testing.T) {
				raw := must(t, client(t, "skopeo"), "inspect", "--raw", "--tls-verify=false", "docker://"+ref)
				if got := sum(raw); got != want.Index {
					t.Errorf("index %s, want %s", got, want.Index)
				}
				must(t, client(t, "skopeo"), "copy", "--all", "--preserve-digests", "--src-tls-verify=false",
					"docker://"+ref, "oci:"+filepath.Join(t.TempDir(), "layout")+":"+version)
			})
			t.Run("containerd", func(t *testing.T) { nodeAgent(t, ref, image.files) })
		})
	}
}

func checkFiles(t *testing.T, got map[string]file, want map[string]string, platform string) {
	t.Helper()
	for path, key := range want {
		p := pin(t, fmt.Sprintf(key, platform))
		if f := got[path]; f != (file{p.SHA256.String(), 0o755, 0, 0, true}) {
			t.Errorf("%s %s: %+v, want a regular file, 0755, of root, with sha256 %s", platform, path, f, p.SHA256)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d files, want %d: %v", platform, len(got), len(want), got)
	}
}

// nodeAgent extracts the files as Gardener's node agent does, by pulling with
// containerd, mounting and copying. Then it runs kubectl.
func nodeAgent(t *testing.T, ref string, files map[string]string) {
	ctr := []string{"-a", containerd(t)}
	platform := "linux/" + runtime.GOARCH
	mount := t.TempDir()
	command := client(t, "ctr")
	// The native snapshotter works on every file system.
	must(t, command, append(ctr, "images", "pull", "--plain-http", "--snapshotter", "native", "--platform", platform, ref)...)
	must(t, command, append(ctr, "images", "mount", "--snapshotter", "native", "--platform", platform, ref, mount)...)
	defer must(t, command, append(ctr, "images", "unmount", mount)...)
	for path, key := range files {
		from := filepath.Join(mount, path)
		if info, err := os.Lstat(from); err != nil || info.Mode() != 0o755 {
			t.Fatalf("%s: %v, %v; want a regular file, 0755", path, info, err)
		}
		if got, want := digestFile(t, from), pin(t, fmt.Sprintf(key, platform)).SHA256.String(); got != want {
			t.Errorf("%s: sha256 %s, want %s", path, got, want)
		}
	}
	out, err := exec.Command(filepath.Join(mount, "kubectl"), "version", "--client").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Client Version: "+version+"\n") {
		t.Errorf("kubectl printed %q, %v", out, err)
	}
}

// A second push must upload nothing.
func TestPushTwice(t *testing.T) {
	r := startRegistry(t)
	push := func() {
		must(t, "./bazelw", "run", images[0].push, "--", "--repository", r.addr+"/hyperkube")
	}
	push()
	// Two platforms with three layers and a config each.
	if n := r.uploads.Load(); n < 8 {
		t.Fatalf("the first push uploaded in %d requests, want 8 or more", n)
	}
	r.uploads.Store(0)
	push()
	if n := r.uploads.Load(); n != 0 {
		t.Errorf("the second push uploaded in %d requests, want none", n)
	}
}

// A push to a registry that is killed must leave no tag. A second push must
// complete the image.
func TestPushAfterKill(t *testing.T) {
	r := startRegistry(t)
	repository := r.addr + "/hyperkube"
	killed := make(chan struct{})
	r.onSent = func(total int64) {
		select {
		case <-killed:
		default:
			if total > 20<<20 {
				close(killed)
				_ = r.process.Process.Kill()
			}
		}
	}
	if first := run(t, nil, "./bazelw", "run", images[0].push, "--", "--repository", repository); first.code == 0 {
		t.Fatal("the push succeeded without a registry")
	}
	<-killed
	_ = r.process.Wait() // killed
	r.start()
	if gone := run(t, nil, craneCommand(t), "digest", repository+":"+version); gone.code == 0 {
		t.Error("an incomplete image has a tag")
	}
	must(t, "./bazelw", "run", images[0].push, "--", "--repository", repository)
	must(t, craneCommand(t), "validate", "--remote", repository+":"+version)
	if got, want := strings.TrimSpace(must(t, craneCommand(t), "digest", repository+":"+version)), record(t, "hyperkube:"+version).Index; got != want {
		t.Errorf("index %s, want %s", got, want)
	}
}

// A push must not move a tag without --force, and a dry run must send nothing.
func TestPushRefusesToMoveTags(t *testing.T) {
	r := startRegistry(t)
	repository := r.addr + "/hyperkube"
	first, second := record(t, "hyperkube:"+version).Index, record(t, "kubectl:"+version).Index
	push := func(image int, args ...string) result {
		return run(t, nil, "./bazelw", append([]string{"run", images[image].push, "--", "--repository", repository}, args...)...)
	}
	if dry := push(0, "--dry-run"); dry.code != 0 || r.uploads.Load() != 0 || !strings.Contains(dry.stdout, "tag "+version+": send\n") {
		t.Fatalf("dry run: exit code %d, %d uploads, printed\n%s", dry.code, r.uploads.Load(), dry.stdout)
	}
	if got := push(0); got.code != 0 {
		t.Fatalf("exit code %d", got.code)
	}
	r.uploads.Store(0)
	want := "refusing to move the tag " + repository + ":" + version + " from " + first + " to " + second
	if got := push(1); got.code != 3 || r.uploads.Load() != 0 || !strings.Contains(got.stderr, want) {
		t.Errorf("exit code %d, %d uploads, want 3, none and %s", got.code, r.uploads.Load(), want)
	}
	if got := push(1, "--force"); got.code != 0 || !strings.Contains(got.stdout, repository+"@"+second) {
		t.Errorf("with --force: exit code %d, printed\n%s", got.code, got.stdout)
	}
}

// A file that changes after Bazel fetched it must not reach a registry.
func TestPushOfChangedFile(t *testing.T) {
	r := startRegistry(t)
	must(t, "./bazelw", "build", images[1].target)
	files := strings.Fields(must(t, "./bazelw", "cquery", "--output=files", "@upstream//kubernetes/v1_36_0:kubectl_linux_amd64"))
	if len(files) != 1 {
		t.Fatalf("got files %q", files)
	}
	file := filepath.Join(strings.TrimSpace(must(t, "./bazelw", "info", "output_base")), files[0])
	must(t, "./bazelw", "shutdown") // the next server looks at all files again
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString("more")
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	fix := []string{"fetch", "--force", "--repo=@@" + filepath.Base(filepath.Dir(file))}
	defer func() { // not Cleanup, before which the context of the test ends
		must(t, "./bazelw", fix...)
		must(t, "./bazelw", "build", images[1].target)
	}()
	got := run(t, nil, "./bazelw", "run", images[1].push, "--", "--repository", r.addr+"/kubectl")
	want := "want sha256 " + pin(t, "kubernetes/"+version+"/linux/amd64/kubectl").SHA256.String() + ", got "
	for _, want := range []string{want, "Fix: ./bazelw " + strings.Join(fix, " ")} {
		if got.code == 0 || r.uploads.Load() != 0 || !strings.Contains(got.stderr, want) {
			t.Errorf("exit code %d, %d uploads; want an error with %q", got.code, r.uploads.Load(), want)
		}
	}
}

// TestPushByHK pushes an image without Bazel.
func TestPushByHK(t *testing.T) {
	r := startRegistry(t)
	repository, want := r.addr+"/kubectl", record(t, "kubectl:"+version).Index
	if got := must(t, "go", "run", "./tools/hk", "push", "kubectl:"+version, "--repository", repository); got != repository+"@"+want+"\n" {
		t.Errorf("printed %q, want the index %s", got, want)
	}
	must(t, craneCommand(t), "validate", "--remote", repository+":"+version)
}
