package versions

import (
	"slices"
	"strings"
	"testing"
)

// The committed manifest and lock are valid and have the documented releases.
func TestCommitted(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range c.Lock.Warnings() {
		t.Errorf("warning: %s", w)
	}
	for _, r := range c.Manifest.Releases {
		for _, file := range requiredNames(t, r.Version) {
			for _, p := range Platforms {
				platform, _ := ParsePlatform(p)
				pin, ok := c.Lock.Pin(FileKey{"kubernetes", r.Version, platform, file})
				want := "https://dl.k8s.io/release/" + r.Version.String() + "/bin/" + p + "/" + file
				if !ok || pin.URL != want {
					t.Errorf("%s %s %s: pinned %v, URL %q", r.Version, p, file, ok, pin.URL)
				}
			}
		}
	}
	raw, err := embedded.ReadFile("lock.json")
	if err != nil || string(raw) != string(c.Lock.Format()) {
		t.Errorf("lock.json is not formatted")
	}
	count := map[string]int{}
	for _, image := range c.Images {
		count[image.Flavor.Name]++
	}
	for flavor, least := range map[string]int{"hyperkube": 263, "kubectl": 263, "hypokube": 53 + 180, "rke": 180} {
		if count[flavor] < least {
			t.Errorf("%s: %d images, want %d or more", flavor, count[flavor], least)
		}
	}
}

// The images with install have their pins at the path that it reads.
func TestCommittedPins(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, image := range c.Images {
		if name := image.Flavor.Name; name != "rke" && name != "hypokube" {
			continue
		}
		for _, b := range image.Builds {
			if l := b.Layers[len(b.Layers)-1]; l.Path != "/usr/share/hyperkube/lock.json" || len(l.Pinned) < 2 {
				t.Errorf("%s: the last layer has %d pins at %q", image.Name(), len(l.Pinned), l.Path)
			}
		}
	}
}

// withoutServer has the releases whose server binaries are not pinned.
var withoutServer = map[string]bool{"v1.34.11": true, "v1.35.8": true, "v1.36.4": true}

// requiredNames returns the files that must be pinned for a release.
func requiredNames(t *testing.T, v Version) []string {
	switch {
	case v.Compare(mustVersion(t, "v1.17.0")) < 0:
		return []string{"hyperkube"}
	case v.Compare(mustVersion(t, "v1.24.0")) < 0, withoutServer[v.String()]:
		return []string{"kubelet", "kubectl", "kubeadm"}
	}
	return []string{"kubelet", "kubectl", "kubeadm", "kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler"}
}

// No archive of Rancher's kubelet is pinned: all images have upstream's.
func TestCommittedKubelets(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, image := range c.Images {
		if image.Flavor.Name != "rke" {
			continue
		}
		if !slices.Contains(image.Labels, Pair{"io.github.hyperkube.kubelet", "kubernetes"}) {
			t.Errorf("%s: labels %v", image.Name(), image.Labels)
		}
		for _, b := range image.Builds {
			i := slices.IndexFunc(b.Layers, func(l Layer) bool { return l.Path == "/kubelet" })
			if want := (FileKey{"kubernetes", image.Version, b.Platform, "kubelet"}); i < 0 || b.Layers[i].Pin.FileKey != want {
				t.Errorf("%s: /kubelet is not %s", image.Name(), want)
			}
		}
	}
}

func TestResolve(t *testing.T) {
	manifest := strings.Replace(good, good[strings.Index(good, "    base:"):strings.Index(good, "  rke:")], "", 1)
	m, err := ParseManifest("m.yaml", []byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	l, err := ParseLock("l.json", []byte(goodLock))
	if err != nil {
		t.Fatal(err)
	}
	_, err = Resolve(m, l)
	if err == nil {
		t.Fatal("no error without pins")
	}
	for _, want := range []string{
		`flavor "hyperkube": kubernetes/v1.24.10/linux/arm64/kubelet is not pinned in versions/lock.json`,
		`flavor "hyperkube": programs/linux/arm64/sleep is not pinned`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("missing error: %s\n%v", want, err)
		}
	}
	m.Releases = m.Releases[:1]
	m.Flavors[0].Platforms = m.Flavors[0].Platforms[:1]
	c, err := Resolve(m, l)
	if err != nil {
		t.Fatal(err)
	}
	image, err := c.Image("v1.24.10")
	if err != nil {
		t.Fatal(err)
	}
	var labels []string
	for _, l := range image.Builds[0].Layers {
		labels = append(labels, l.Label())
	}
	want := []string{
		"//images/layers:sleep_linux_amd64_mode_0555_zstd",
		"//images/layers/v1_24:kubelet_v1_24_10_linux_amd64_zstd",
		"//images/layers:symlinks_hyperkube",
	}
	if strings.Join(labels, "\n") != strings.Join(want, "\n") {
		t.Errorf("layers %q, want %q", labels, want)
	}
	rke, err := c.Image("rke:v1.24.10-rancher3")
	if err != nil {
		t.Fatal(err)
	}
	if got := rke.Builds[0].Layers[0].Label(); got != "//images/layers/v1_24:kubelet_v1_24_10_linux_amd64_from_patched" {
		t.Errorf("layer %q", got)
	}
	if rke.Repository != "registry.invalid/hyperkube" || rke.Tag != "v1.24.10-rancher3" || image.Labels[0].Value != "v1.24.10" {
		t.Errorf("image %+v", rke)
	}
}

// Different layers need different labels.
func TestResolveDuplicateLabels(t *testing.T) {
	manifest := strings.NewReplacer(
		good[strings.Index(good, "    base:"):strings.Index(good, "  rke:")], "",
		"[amd64, arm64]", "[amd64]", "  - v1.28.7\n", "",
		"path: /sleep, source: programs/sleep, mode: \"0555\"", "path: /usr/bin/kubelet, source: kubernetes/kubelet",
		"path: /kubelet, source: kubernetes/kubelet", "path: /usr_bin/kubelet, source: kubernetes/kubelet",
	).Replace(good)
	m, err := ParseManifest("m.yaml", []byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	l, err := ParseLock("l.json", []byte(goodLock))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Resolve(m, l); err == nil || !strings.Contains(err.Error(), "at /usr/bin/kubelet, and kubernetes/v1.24.10/linux/amd64/kubelet at /usr_bin/kubelet") {
		t.Errorf("got %v", err)
	}
}

// withFallback is a manifest with two sources of a file, the first one an archive.
var withFallback = strings.NewReplacer(
	good[strings.Index(good, "    base:"):strings.Index(good, "  rke:")], "",
	"versions: \">= 1.19.0\"\n    architectures: [amd64, arm64]", "versions: \"1.24.10\"\n    architectures: [amd64]",
	"source: patched/kubelet}", "source: [{file: patched/kubelet, minTags: [v1.24.10-rancher3]}, {file: kubernetes/kubelet}]}",
	"    entrypoint: [/kubelet]\n", "    entrypoint: [/kubelet]\n    labels: {kubelet: \"{source:/kubelet} of {version}\"}\n",
	"  - v1.28.7\n", "",
).Replace(good)

// A member of an archive is used if it is pinned for all platforms.
func TestResolveArchive(t *testing.T) {
	const arm64 = `{"source":"kubernetes","version":"v1.24.10","platform":"linux/arm64","file":"kubelet","url":"https://example.com/b","sha256":"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"},`
	both := func(manifest string) string {
		return strings.ReplaceAll(manifest, "architectures: [amd64]\n    files:\n      - {path: /kubelet", "architectures: [amd64, arm64]\n    files:\n      - {path: /kubelet")
	}
	lock := strings.Replace(goodLock, "\"files\": [", "\"files\": [\n    "+arm64, 1)
	patched := strings.Replace(lock, arm64, arm64+`{"source":"patched","version":"v1.24.10","platform":"linux/arm64","file":"kubelet","url":"https://example.com/b.tar.gz","sha256":"`+hashA+`","archive":"`+hashA+`","member":"bin/kubelet"},`, 1)
	for name, test := range map[string]struct{ manifest, lock, source string }{
		"pinned":                    {withFallback, lock, "patched"},
		"pinned for one platform":   {both(withFallback), lock, "kubernetes"},
		"pinned for both platforms": {both(withFallback), patched, "patched"},
		"before minTags":            {strings.Replace(withFallback, "rke: 3", "rke: 2", 1), lock, "kubernetes"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := ParseManifest("m.yaml", []byte(test.manifest))
			if err != nil {
				t.Fatal(err)
			}
			l, err := ParseLock("l.json", []byte(test.lock))
			if err != nil {
				t.Fatal(err)
			}
			c, err := Resolve(m, l)
			if err != nil {
				t.Fatal(err)
			}
			image := c.Images[1]
			if image.Labels[0].Value != test.source+" of v1.24.10" {
				t.Errorf("labels %v, want %s", image.Labels, test.source)
			}
			for _, b := range image.Builds {
				if key := b.Layers[0].Pin.FileKey; key.Source != test.source {
					t.Errorf("layer of %s, want %s", key, test.source)
				}
				if key := b.Layers[0].Pin.FileKey; !slices.Contains(m.RequiredFiles(l), key) {
					t.Errorf("%s is not required", key)
				}
			}
		})
	}
	m, err := ParseManifest("m.yaml", []byte(strings.Replace(withFallback, ", {file: kubernetes/kubelet}", "", 1)))
	if err != nil {
		t.Fatal(err)
	}
	want := "no source of /kubelet matches v1.24.10, iteration 3: patched/v1.24.10/linux/amd64/kubelet is not pinned in versions/lock.json. Fix: go run ./tools/hk pin --archive patched/v1.24.10/linux/amd64/kubelet=SHA256"
	if _, err := Resolve(m, NewLock()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// The content tag depends on the contents of files, not on their names, paths and
// order, nor on the flavor.
func TestContentTag(t *testing.T) {
	text := strings.NewReplacer(
		good[strings.Index(good, "    base:"):strings.Index(good, "  rke:")], "",
		"versions: \">= 1.19.0\"\n    architectures: [amd64, arm64]", "contentTag: true\n    versions: \"1.24.10\"\n    architectures: [amd64]",
		"  - v1.28.7\n", "",
	).Replace(good)
	tag := func(text string) string { return resolve(t, text).Images[0].ContentTag }
	first := tag(text)
	if len(first) != len("files-")+64 || !tagPattern.MatchString(first) {
		t.Errorf("tag %q", first)
	}
	moved := strings.NewReplacer("path: /kubelet, source: kubernetes/kubelet", "path: /usr/bin/k, source: kubernetes/kubelet", "user: \"0:0\"", "user: \"1\"",
		"symlinks: {/bin/kubelet: ../kubelet}", "symlinks: {/bin/kubelet: /usr/bin/k}").Replace(text)
	if got := tag(moved); got != first {
		t.Errorf("the same files make %q and %q", first, got)
	}
	if got := tag(strings.Replace(text, "source: kubernetes/kubelet", "source: patched/kubelet", 1)); got == first {
		t.Errorf("other files make the same tag %q", got)
	}
}

func resolve(t *testing.T, manifest string) *Catalog {
	t.Helper()
	m, err := ParseManifest("m.yaml", []byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	l, err := ParseLock("l.json", []byte(goodLock))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Resolve(m, l)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
