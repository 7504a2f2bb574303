//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// machine is the only platform of the flavors with all components: rebuilding
// their server binaries takes long.
const machine = "linux/" + runtime.GOARCH

// flavor is an image of one platform.
type flavor struct {
	name, tag string
	kubelet   string // key of the pin
	// commands are the command lines that execute each component.
	commands map[string][]string
	missing  []string // command lines of missing programs
	blobs    int      // uploaded by a push to a repository with kubectl and hyperkube
}

func flavors() []flavor {
	commands := func(more map[string][]string) map[string][]string {
		for name, short := range map[string]string{
			"kube-apiserver": "apiserver", "kube-controller-manager": "controller-manager",
			"kube-proxy": "proxy", "kube-scheduler": "scheduler", "kubelet": "kubelet", "kubectl": "kubectl",
		} {
			more[name] = append(more[name], "/"+short, "/usr/local/bin/"+name, "/hyperkube "+name, "/hyperkube "+short)
		}
		return more
	}
	return []flavor{
		{
			name: "rke", tag: version + "-rancher1", kubelet: "kubernetes/" + version + "/" + machine + "/kubelet",
			commands: commands(map[string][]string{}),
			missing:  []string{"/cloud-controller-manager", "/hyperkube cloud-controller-manager", "/hyperkube kubeadm", "/hyperkube nonsense"},
			// Three layers of packages, iptables-wrapper, the dispatcher, four servers, pins,
			// symlinks and a config.
			blobs: 12,
		},
		{
			name: "hypokube", tag: version, kubelet: "kubernetes/" + version + "/" + machine + "/kubelet",
			commands: commands(map[string][]string{"kubeadm": {"/kubeadm", "/hyperkube kubeadm"}}),
			missing:  []string{"/aggregator", "/hyperkube cloud-controller-manager", "/hyperkube nonsense"},
			// kubeadm, symlinks, pins and a config: the rest came with rke.
			blobs: 4,
		},
	}
}

// target returns the label of the image.
func (f flavor) target() string {
	return fmt.Sprintf("//images:%s_%s_%s", f.name, strings.NewReplacer(".", "_", "-", "_").Replace(f.tag), runtime.GOARCH)
}

func (f flavor) test() string { return strings.Replace(f.target(), "//images:", "//images:test_", 1) }

// All flavors are pushed to one registry and pulled. Each of their components is
// executed by each of its names.
func TestFlavors(t *testing.T) {
	r := startRegistry(t)
	repository := r.addr + "/all"
	must(t, "./bazelw", "run", "//images:push_kubectl_v1_36_0", "--", "--repository", repository)
	// The two images have the same tag.
	must(t, "./bazelw", "run", "//images:push_v1_36_0", "--", "--repository", repository, "--force")
	r.uploaded()
	for _, f := range flavors() {
		t.Run(f.name, func(t *testing.T) {
			must(t, "./bazelw", "test", f.test())
			layout := bazelOutput(t, f.target())
			byGo := filepath.Join(t.TempDir(), "layout")
			must(t, "go", "run", "./tools/hk", "build", f.name+":"+f.tag, "--platform", machine, "-o", byGo)
			compareTrees(t, layout, byGo)

			ref := repository + ":" + f.name
			must(t, "go", "run", "./tools/oci", "push", "-layout", layout, "-repository", repository, "-tag", f.name)
			if n := r.uploaded(); n != f.blobs {
				t.Errorf("the push uploaded %d blobs, want %d", n, f.blobs)
			}
			if got, want := strings.TrimSpace(must(t, craneCommand(t), "digest", ref)), record(t, f.name+":"+f.tag).Manifests[machine]; got != want {
				t.Errorf("manifest %s, want %s", got, want)
			}
			must(t, client(t, "skopeo"), "copy", "--preserve-digests", "--src-tls-verify=false",
				"docker://"+ref, "oci:"+filepath.Join(t.TempDir(), "layout")+":x")
			f.run(t, ref)
		})
	}
}

// run mounts the image as a node would, and executes its components in it.
func (f flavor) run(t *testing.T, ref string) {
	ctr := []string{"-a", containerd(t)}
	command, mount := client(t, "ctr"), t.TempDir()
	must(t, command, append(ctr, "images", "pull", "--plain-http", "--snapshotter", "native", "--platform", machine, ref)...)
	must(t, command, append(ctr, "images", "mount", "--snapshotter", "native", "--platform", machine, ref, mount)...)
	defer must(t, command, append(ctr, "images", "unmount", mount)...)

	if got, want := digestFile(t, filepath.Join(mount, "kubelet")), pin(t, f.kubelet).SHA256.String(); got != want {
		t.Errorf("/kubelet: sha256 %s, want %s", got, want)
	}
	chroot := func(line string, args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), client(t, "chroot"), append(append([]string{mount}, strings.Fields(line)...), args...)...)
		cmd.Env = []string{}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for name, lines := range f.commands {
		args, want := []string{"--version"}, "Kubernetes "+version+"\n"
		switch name {
		case "kubectl":
			args, want = []string{"version", "--client"}, "Client Version: "+version+"\n"
		case "kubeadm":
			args, want = []string{"version", "-o", "short"}, version+"\n"
		}
		for _, line := range lines {
			if out, err := chroot(line, args...); err != nil || !strings.Contains(out, want) {
				t.Errorf("%s %q: printed %q, %v", line, args, out, err)
			}
		}
	}
	for _, line := range f.missing {
		out, err := chroot(line)
		if err == nil || !strings.Contains(out, "kube-apiserver") || !strings.Contains(out, filepath.Base(line[strings.LastIndexByte(line, ' ')+1:])) {
			t.Errorf("%s: printed %q, %v; want an error with the name and the available programs", line, out, err)
		}
	}
	// Install as documented in docs/install.md.
	host := t.TempDir()
	for _, action := range []string{"installed", "unchanged"} {
		out := must(t, command, append(ctr, "run", "--rm", "--snapshotter", "native", "--mount", "type=bind,src="+host+",dst=/host,options=rbind:rw",
			ref, action, "/hyperkube", "install", "--to", "/host", "kubelet", "kubectl")...)
		for name, key := range map[string]string{"kubelet": f.kubelet, "kubectl": "kubernetes/" + version + "/" + machine + "/kubectl"} {
			want := pin(t, key).SHA256.String()
			if line := action + " " + name + " sha256:" + want; !strings.Contains(out, line) || digestFile(t, filepath.Join(host, name)) != want {
				t.Errorf("install printed\n%s\nwant %s, and that file", out, line)
			}
		}
	}
	entries, err := os.ReadDir(mount)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == "hyperkube" && e.Type().IsRegular() }) {
		t.Errorf("/hyperkube is not a regular file in %v", entries)
	}
}

// If the registry has the content tag of an image, a push must upload nothing and
// print a message.
func TestPushContent(t *testing.T) {
	r := startRegistry(t)
	push := func() string {
		t.Helper()
		pushed := run(t, nil, "./bazelw", "run", "//tools/conformance:push_rich", "--", "-repository", r.addr+"/rich")
		if pushed.code != 0 {
			t.Fatalf("exit code %d\n%s", pushed.code, pushed.stderr)
		}
		return pushed.stderr
	}
	push()
	if r.uploaded() == 0 {
		t.Error("the first push uploaded nothing")
	}
	for _, tag := range []string{"v1", "files-0123"} {
		must(t, craneCommand(t), "manifest", r.addr+"/rich:"+tag)
	}
	out := push()
	if n := r.uploaded(); n != 0 || !strings.Contains(out, "exists: nothing to push") {
		t.Errorf("the second push uploaded %d blobs and printed\n%s", n, out)
	}
}
