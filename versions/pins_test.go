package versions

import (
	"slices"
	"strings"
	"testing"
)

// withPins is withFallback with a file of pins in the images of rke.
var withPins = strings.Replace(withFallback, "    entrypoint: [/kubelet]\n", "    symlinks: {/k: kubelet}\n    entrypoint: [/kubelet]\n    pins: /usr/share/pins.json\n", 1)

// The uppermost layer lists the pins of the image's own files, also those that are not
// official.
func TestPinsFile(t *testing.T) {
	const head = "{\n  \"schema\": 1,\n  \"files\": [\n    "
	official := strings.Replace(withPins, "rke: 3", "rke: 2", 1)
	for manifest, test := range map[string]struct{ label, file string }{
		withPins: {
			"//images/rke/v1_24:pins_v1_24_10_rancher3_amd64",
			head + `{"source":"patched","version":"v1.24.10","platform":"linux/amd64","file":"kubelet","sha256":"` + hashB + "\"}\n  ]\n}\n",
		},
		official: {
			"//images/rke/v1_24:pins_v1_24_10_rancher2_amd64",
			head + `{"source":"kubernetes","version":"v1.24.10","platform":"linux/amd64","file":"kubelet","sha256":"` + hashA + "\"}\n  ]\n}\n",
		},
	} {
		c := resolve(t, manifest)
		layers := c.Images[1].Builds[0].Layers
		l := layers[len(layers)-1]
		if l.Label() != test.label || l.Path != "/usr/share/pins.json" || l.Mode != 0o644 || string(l.PinsFile()) != test.file {
			t.Errorf("%s at %s, mode %04o: got\n%s\nwant\n%s", l.Label(), l.Path, l.Mode, l.PinsFile(), test.file)
		}
		if _, err := ParseLock("pins.json", l.PinsFile()); err != nil {
			t.Error(err)
		}
		for _, other := range c.Layers {
			if other.Pinned != nil {
				t.Errorf("%s is not in the image's package", other.Label())
			}
		}
	}
}

// The inputs of an image cover the path and the pins of the file; its content tag does not change.
func TestPinsFileInputs(t *testing.T) {
	const tagged = "    repository: hyperkube\n    tag: \"{version}-rancher{iteration}\"\n"
	image := func(old, new string) Image {
		text := strings.Replace(withPins, tagged, tagged+"    contentTag: true\n", 1)
		return resolve(t, strings.Replace(text, old, new, 1)).Images[1]
	}
	first := image("", "")
	for old, new := range map[string]string{
		"    pins: /usr/share/pins.json\n": "",
		"/usr/share/pins.json":             "/usr/share/lock.json",
	} {
		got := image(old, new)
		if got.InputHash() == first.InputHash() {
			t.Errorf("the inputs do not cover %q", old)
		}
		if got.ContentTag != first.ContentTag || got.ContentTag == "" {
			t.Errorf("content tag %q, want %q", got.ContentTag, first.ContentTag)
		}
	}
	other, layers := first, slices.Clone(first.Builds[0].Layers)
	last := &layers[len(layers)-1]
	last.Pinned = slices.Clone(last.Pinned)
	last.Pinned[0].Pin.Source = "other"
	other.Builds = []Build{{Platform: first.Builds[0].Platform, Layers: layers}}
	if other.InputHash() == first.InputHash() {
		t.Error("the inputs do not cover the keys")
	}
}

func TestParsePinsErrors(t *testing.T) {
	for path, want := range map[string]string{
		"/kubelet":      `flavors.rke.files[0].path: duplicate path "/kubelet", also of flavors.rke.pins`,
		"/k":            `flavors.rke.symlinks./k: duplicate path, also of flavors.rke.pins`,
		"/kubelet/pins": `flavors.rke.pins: "/kubelet/pins" is below "/kubelet", which is not a directory but flavors.rke.files[0]`,
		"pins.json":     `flavors.rke.pins: "pins.json" is relative`,
	} {
		_, err := ParseManifest("m.yaml", []byte(strings.Replace(withPins, "/usr/share/pins.json", path, 1)))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	_, err := ParseManifest("m.yaml", []byte(strings.Replace(withDebian, "    packages: slim\n", "    packages: slim\n    pins: /lib/pins.json\n", 1)))
	if want := `flavors.hyperkube.pins: "/lib/pins.json" is below a symlink of the packages. Fix: "/usr/lib/pins.json"`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}
