package differential

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	gardener "github.com/gardener/gardener/pkg/utils/imagevector"
	"sigs.k8s.io/yaml"
)

// The steps of the documentation for an air-gapped site: an overwrite of Gardener's
// vector, and the Kubernetes objects that apply it. With the environment and the files
// of these objects, Gardener pulls only from the registry of the site.
func TestSite(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the command")
	}
	dir := t.TempDir()
	command := filepath.Join(dir, "hk")
	build := exec.Command("go", "build", "-C", "../..", "-o", command, "./tools/hk")
	build.Env = append(build.Environ(), "GOWORK=") // the tools need go.work, which this module is not in
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the command: %v\n%s", err, out)
	}
	run := func(args ...string) []byte {
		t.Helper()
		cmd := exec.Command(command, append([]string{"vector"}, args...)...)
		cmd.Dir = dir
		var errors bytes.Buffer
		cmd.Stderr = &errors
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("hk vector %q: %v\n%s%s", args, err, out, errors.Bytes())
		}
		return out
	}
	copyFile(t, filepath.Join(moduleDir(t, "github.com/gardener/gardener"), "imagevector/containers.yaml"), filepath.Join(dir, "containers.yaml"))
	run("overwrite", "--vector", "containers.yaml", "--replace", "*=registry.example.com/mirror",
		"--replace", "europe-docker.pkg.dev/gardener-project/releases/hyperkube=registry.example.com/hyperkube", "--all", "-o", "mine.yaml")
	run("lint", "--vector", "containers.yaml", "--overwrite", "mine.yaml", "--no-public", "--private", "registry.example.com")
	mounted := mount(t, run("configmap", "--overwrite", "mine.yaml"))

	text, err := os.ReadFile(filepath.Join(dir, "containers.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	v, ca, err := gardener.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(gardener.OverrideEnv, mounted[gardener.OverrideEnv])
	if v, _, err = gardener.WithEnvOverride(v, ca, gardener.OverrideEnv); err != nil {
		t.Fatal(err)
	}
	const version = "1.34.2"
	for _, s := range v {
		for _, opts := range [][]gardener.FindOptionFunc{nil, {gardener.RuntimeVersion(version), gardener.TargetVersion(version)}, {gardener.TargetVersion(version)}} {
			image, err := v.FindImage(s.Name, opts...)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(image.String(), "registry.example.com/") {
				t.Errorf("%s is pulled from %s", s.Name, image)
			}
		}
	}
	image, err := v.FindImage("hyperkube", gardener.RuntimeVersion(version), gardener.TargetVersion(version))
	if err != nil || image.String() != "registry.example.com/hyperkube:v"+version {
		t.Errorf("hyperkube is %v, %v", image, err)
	}
}

// mount emulates the volumes of a Deployment: it writes the ConfigMaps to files and
// returns the environment of the container with the paths of these files.
func mount(t *testing.T, objects []byte) map[string]string {
	t.Helper()
	type container struct {
		Name         string
		Env          []struct{ Name, Value string }
		VolumeMounts []struct{ Name, MountPath string }
	}
	root := t.TempDir()
	data := map[string]map[string]string{} // of ConfigMaps
	env := map[string]string{}
	for document := range bytes.SplitSeq(objects, []byte("\n---\n")) {
		var o struct {
			Kind     string
			Metadata struct{ Name, Namespace string }
			Data     map[string]string
			Spec     struct {
				Template struct {
					Spec struct {
						Containers []container
						Volumes    []struct {
							Name      string
							ConfigMap struct{ Name string }
						}
					}
				}
			}
		}
		if err := yaml.Unmarshal(document, &o); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		if o.Metadata.Namespace != "garden" {
			t.Errorf("%s %q is in namespace %q", o.Kind, o.Metadata.Name, o.Metadata.Namespace)
		}
		if o.Kind == "ConfigMap" {
			data[o.Metadata.Name] = o.Data
			continue
		}
		spec := o.Spec.Template.Spec
		if o.Kind != "Deployment" || len(spec.Containers) != 1 || spec.Containers[0].Name != "gardenlet" {
			t.Fatalf("no patch of gardenlet:\n%s", document)
		}
		for _, m := range spec.Containers[0].VolumeMounts {
			for _, v := range spec.Volumes {
				if v.Name != m.Name {
					continue
				}
				for file, text := range data[v.ConfigMap.Name] {
					file = filepath.Join(root, m.MountPath, file)
					if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		for _, e := range spec.Containers[0].Env {
			env[e.Name] = filepath.Join(root, e.Value)
		}
	}
	return env
}
