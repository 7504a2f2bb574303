package oci

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/versions"
)

// goldenBase returns a base image that rules_oci was run with.
func goldenBase(t *testing.T, name string) *Base {
	t.Helper()
	dir := filepath.Join("testdata", "rules_oci", name)
	m, err := ReadBaseManifest(read(t, filepath.Join(dir, "base_manifest.json")))
	if err != nil {
		t.Fatal(err)
	}
	b, err := m.WithConfig(read(t, filepath.Join(dir, "base_config.json")))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestComposeOnBaseMatchesRulesOCI(t *testing.T) {
	for name, arch := range map[string]string{"docker": "amd64", "oci": "arm64"} {
		base := goldenBase(t, name)
		m := compose(t, ImageSpec{
			OS: "linux", Arch: arch, Base: base, Layers: layers["amd64"][:1],
			Entrypoint:  []string{"/hyperkube", "serve"},
			Env:         []versions.Pair{{Key: "PATH", Value: "/opt:$PATH"}, {Key: "NEW", Value: "${PATH}:$B-$NONE-$"}, {Key: "B", Value: "third"}},
			Labels:      []versions.Pair{{Key: "org.b", Value: "1"}, {Key: "org.a", Value: "two"}},
			Annotations: []versions.Pair{{Key: "org.z", Value: "2"}, {Key: "org.c", Value: "1"}},
			WorkingDir:  "/tmp",
		})
		golden(t, name+"/config.json", m.Config.Bytes)
		golden(t, name+"/manifest.json", m.Manifest.Bytes)
		if m.Manifest.MediaType != base.MediaType || len(m.Layers) != len(base.Layers)+1 || m.Layers[0] != base.Layers[0] || m.Layers[len(base.Layers)].DiffID != layers["amd64"][0].DiffID {
			t.Errorf("%s: composed %s of %+v", name, m.Manifest.MediaType, m.Layers)
		}
		// Compose must not change the base.
		again := goldenBase(t, name)
		if !bytes.Equal(base.config.document(), again.config.document()) || !bytes.Equal(base.manifest.document(), again.manifest.document()) {
			t.Errorf("%s: the base was changed", name)
		}
		if _, err := Compose(ImageSpec{OS: "linux", Arch: "s390x", Base: base}); err == nil || !strings.Contains(err.Error(), "composing an image for linux/s390x: base image is for linux/"+arch) {
			t.Errorf("another platform: %v", err)
		}
	}
}

// The index has the variant of the base, and an image keeps settings of its base.
func TestComposeKeepsBase(t *testing.T) {
	amd64, arm64 := compose(t, ImageSpec{Base: goldenBase(t, "docker")}), compose(t, ImageSpec{Base: goldenBase(t, "oci")})
	index := Index([]Image{amd64, arm64})
	for _, want := range []string{
		`"mediaType": "application/vnd.docker.distribution.manifest.v2+json",`,
		"\"os\": \"linux\",\n        \"architecture\": \"amd64\"\n",
		"\"os\": \"linux\",\n        \"architecture\": \"arm64\",\n        \"variant\": \"v8\"\n",
	} {
		if !strings.Contains(string(index.Bytes), want) {
			t.Errorf("no %s in %s", want, index.Bytes)
		}
	}
	if !strings.Contains(string(amd64.Config.Bytes), "\"Cmd\": [\n      \"sh\"") || strings.Contains(string(arm64.Config.Bytes), "Cmd") || strings.Contains(string(amd64.Manifest.Bytes), `"data"`) {
		t.Errorf("composed %s of %s, and %s", amd64.Manifest.Bytes, amd64.Config.Bytes, arm64.Config.Bytes)
	}
}

func TestBaseLayout(t *testing.T) {
	b := goldenBase(t, "docker")
	dir := t.TempDir()
	if err := WriteImage(dir, b.Image(), func(digest, to string) error { return os.WriteFile(to, []byte(digest), 0o644) }); err != nil {
		t.Fatal(err)
	}
	back, err := ReadBase(dir)
	if err != nil || !bytes.Equal(back.Manifest, b.Manifest) || !bytes.Equal(back.Config, b.Config) {
		t.Errorf("read back %+v, %v", back, err)
	}
	for _, name := range []string{"index.json", blobName(newBlob("", b.Manifest).Digest), blobName("sha256:" + b.ConfigDescriptor.Digest.String())} {
		file := filepath.Join(dir, name)
		raw := read(t, file)
		for what, bad := range map[string][]byte{"flipped": bytes.Replace(raw, []byte("o"), []byte("0"), 1), "cut": raw[:len(raw)/2], "long": append(bytes.Clone(raw), make([]byte, MaxDocument)...)} {
			if err := os.WriteFile(file, bad, 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := ReadBase(dir); err == nil && name != "index.json" || err == nil && what != "flipped" {
				t.Errorf("%s, %s: no error", name, what)
			}
		}
		if err := os.WriteFile(file, raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	full := errors.New("disk full")
	if err := WriteImage(t.TempDir(), b.Image(), func(string, string) error { return full }); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}

// Each case changes a valid base image in one place of its manifest or config.
func TestInvalidBases(t *testing.T) {
	good := goldenBase(t, "docker")
	digest := good.LayerDescriptors[0].Digest.String()
	for name, test := range map[string]struct{ old, new, want string }{
		"not JSON":            {"{", "<", "reading base image manifest sha256:"},
		"trailing data":       {"}\n   ]\n}", "}\n   ]\n}{}", "after top-level value"},
		"an index":            {"distribution.manifest.v2+json", "distribution.manifest.list.v2+json", "want the manifest of an image, got media type"},
		"schema 1":            {"distribution.manifest.v2+json", "distribution.manifest.v1+prettyjws", "want the manifest of an image"},
		"no media type":       {`"mediaType": "application/vnd.docker.distribution.manifest.v2+json",`, "", "config: want media type application/vnd.oci.image.config.v1+json"},
		"another schema":      {`"schemaVersion": 2`, `"schemaVersion": 1`, "want schemaVersion 2"},
		"text for a number":   {`"schemaVersion": 2`, `"schemaVersion": "2"`, "want schemaVersion 2"},
		"layers no list":      {`"layers": [`, `"layers": {}, "x": [`, "a list for layers"},
		"annotations no map":  {`"layers": [`, `"annotations": [], "layers": [`, "want an object for annotations"},
		"an artifact":         {"docker.container.image", "docker.plugin", `config: want media type application/vnd.docker.container.image.v1+json, got "application/vnd.docker.plugin.v1+json"`},
		"foreign layer":       {"image.rootfs.diff.tar.gzip", "image.rootfs.foreign.diff.tar.gzip", `layers[0]: want media type`},
		"layer at a URL":      {`"digest": "sha256:` + digest, `"urls": ["https://example.com/x"], "digest": "sha256:` + digest, "layers[0]: blobs with urls outside of the registry are not supported"},
		"empty urls":          {`"digest": "sha256:` + digest, `"urls": [], "digest": "sha256:` + digest, "layers[0]: blobs with urls"},
		"huge layer":          {`"size": 96`, `"size": 5368709120`, "layers[0]: want a size of at most 4294967296 bytes, got 5368709120"},
		"negative size":       {`"size": 96`, `"size": -96`, "layers[0]: want a size"},
		"no size":             {`"size": 96,`, "", "layers[0]: want a size of at most 4294967296 bytes, got null"},
		"fraction":            {`"size": 96`, `"size": 96.5`, "want an integer within ±2^53, got 96.5"},
		"exponent":            {`"size": 96`, `"size": 9e1`, "got 9e1"},
		"beyond floats":       {`"size": 96`, `"size": 9007199254740993`, "want an integer within ±2^53, got 9007199254740993"},
		"path in digest":      {"sha256:" + digest, "sha256:../../../../etc/passwd", "layers[0]: "},
		"another algorithm":   {"sha256:" + digest, "sha512:" + digest + digest, "layers[0]: want a digest like sha256:…"},
		"duplicate key":       {`"schemaVersion": 2`, `"schemaVersion": 2, "schemaVersion": 2`, `duplicate key "schemaVersion"`},
		"escaped duplicate":   {`"schemaVersion": 2`, `"schemaVersion": 2, "schem\u0061Version": 2`, `duplicate key "schemaVersion"`},
		"key in capitals":     {`"layers": [`, `"Layers": [], "layers": [`, `ambiguous key "Layers": want "layers"`},
		"size in capitals":    {`"size": 96`, `"Size": 1, "size": 96`, `layers[0]: ambiguous key "Size": want "size"`},
		"not UTF-8":           {`"schemaVersion": 2`, "\"schemaVersion\": 2, \"x\": \"\xff\"", "invalid UTF-8"},
		"deep":                {`"schemaVersion": 2`, `"schemaVersion": 2, "x": ` + strings.Repeat("[", 40) + strings.Repeat("]", 40), "nested deeper than 32 levels"},
		"many keys":           {`"schemaVersion": 2`, `"schemaVersion": 2, "x": {` + manyKeys(2000) + `}`, "want at most 1000 keys"},
		"too many layers":     {`"layers": [`, `"layers": [` + strings.Repeat("{},", 200), "want at most 127 layers, got 20"},
		"config: wrong size":  {`"size": 784`, `"size": 785`, "and 785 bytes as in the manifest, got 784 bytes"},
		"config: huge":        {`"size": 784`, `"size": 5000000`, "config: want a size of at most 4194304 bytes"},
		"config: no platform": {"", `"os": "linux"|"os": ""`, "want os and architecture"},
		"config: no diff_ids": {"", `"diff_ids"|"diff_idz"`, "want 2 diff_ids, one per layer, got 0"},
		"config: bad diff_id": {"", `"diff_ids": ["sha256:|"diff_ids": ["md5:`, "rootfs.diff_ids[0]: want a digest"},
		"config: history":     {"", `"history": [|"history": {}, "x": [`, "want a list for history"},
		"config: no object":   {"", `"config": {|"config": [], "x": {`, "an object for config"},
		"config: Env":         {"", `"LANG"|""`, "config.Env[1]: want a string NAME=VALUE"},
		"config: Env number":  {"", `"LANG"|7`, "config.Env[1]: want a string"},
		"config: RootFS":      {"", `"history": [|"RootFS": {}, "history": [`, `ambiguous key "RootFS": want "rootfs"`},
		"config: entrypoint":  {"", `"config": {|"config": {"entrypoint": ["/x"], `, `ambiguous key "entrypoint": want "Entrypoint"`},
		"config: list":        {"", "{\"architecture\"|[{\"architecture\"", "unexpected end of JSON input"},
	} {
		t.Run(name, func(t *testing.T) {
			manifest, config := string(good.Manifest), string(good.Config)
			if old, new, inConfig := strings.Cut(test.new, "|"); inConfig {
				if !strings.Contains(config, old) {
					t.Fatalf("the valid config has no %q", old)
				}
				changed := strings.Replace(config, old, new, 1)
				manifest = strings.NewReplacer(
					good.ConfigDescriptor.Digest.String(), fmt.Sprintf("%x", sha256.Sum256([]byte(changed))),
					fmt.Sprintf(`"size": %d`, len(config)), fmt.Sprintf(`"size": %d`, len(changed)),
				).Replace(manifest)
				config = changed
			} else {
				if !strings.Contains(manifest, test.old) {
					t.Fatalf("the valid manifest has no %q", test.old)
				}
				manifest = strings.Replace(manifest, test.old, test.new, 1)
			}
			m, err := ReadBaseManifest([]byte(manifest))
			var b *Base
			if err == nil {
				b, err = m.WithConfig([]byte(config))
			}
			if err == nil || b != nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, %v, want %q", b, err, test.want)
			}
		})
	}
}

func manyKeys(n int) string {
	var keys []string
	for i := range n {
		keys = append(keys, fmt.Sprintf(`"%d":0`, i))
	}
	return strings.Join(keys, ",")
}

func TestForPlatform(t *testing.T) {
	entry := func(os, arch, variant, sum string) string {
		return fmt.Sprintf(`{"mediaType":%q,"digest":"sha256:%s","size":1,"platform":{"os":%q,"architecture":%q,"variant":%q}}`, MediaTypeManifest, strings.Repeat(sum, 64), os, arch, variant)
	}
	index := func(entries ...string) string {
		return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[%s]}`, MediaTypeIndex, strings.Join(entries, ","))
	}
	amd64, arm64, v8, attested := entry("linux", "amd64", "", "a"), entry("linux", "arm64", "", "b"), entry("linux", "arm64", "v8", "c"), entry("unknown", "unknown", "", "d")
	for name, test := range map[string]struct{ raw, arch, want string }{
		"index":            {index(amd64, arm64, attested), "arm64", "b"},
		"variant":          {index(amd64, v8), "arm64", "c"},
		"other variant":    {index(amd64, entry("linux", "amd64", "v3", "f")), "amd64", "a"},
		"no media type":    {strings.Replace(index(amd64, v8), `"mediaType":"`+MediaTypeIndex+`",`, "", 1), "amd64", "a"},
		"docker's":         {strings.Replace(index(amd64, v8), MediaTypeIndex, "application/vnd.docker.distribution.manifest.list.v2+json", 1), "amd64", "a"},
		"no such platform": {index(amd64, attested), "arm64", `want one manifest for linux/arm64, got 0; other platforms: ["linux/amd64" "unknown/unknown"]`},
		"other system":     {index(entry("windows", "amd64", "", "a")), "amd64", `want one manifest for linux/amd64, got 0`},
		"two":              {index(arm64, v8), "arm64", `want one manifest for linux/arm64, got 2`},
		"nested":           {index(strings.Replace(amd64, MediaTypeManifest, MediaTypeIndex, 1)), "amd64", `want the manifest of an image for linux/amd64, got media type`},
		"no digest":        {index(strings.Replace(amd64, "sha256:", "", 1)), "amd64", `want a digest`},
		"no JSON":          {"<html>", "amd64", `reading base image index sha256:`},
	} {
		p, err := versions.ParsePlatform("linux/" + test.arch)
		if err != nil {
			t.Fatal(err)
		}
		d, isIndex, err := SelectPlatform([]byte(test.raw), p)
		if len(test.want) == 1 && (err != nil || !isIndex || d.String() != strings.Repeat(test.want, 64)) ||
			len(test.want) > 1 && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %s, %v, %v, want %s", name, d, isIndex, err, test.want)
		}
	}
	p, _ := versions.ParsePlatform("linux/amd64")
	if _, isIndex, err := SelectPlatform(goldenBase(t, "docker").Manifest, p); isIndex || err != nil {
		t.Errorf("a manifest: %v, %v", isIndex, err)
	}
}

// Every accepted document is stable under encoding and parsing.
func FuzzValue(f *testing.F) {
	f.Add([]byte(`{"b":[1,-2,{}],"a":"\u007f\u2028\ud83d\ude00\"\\\/\b\f\n\r\t<>&","":null,"x":true}`))
	f.Add([]byte(`[1e3,-0,"\ud800"]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, err := parse(raw)
		if err != nil {
			return
		}
		once := v.document()
		again, err := parse(once)
		if err != nil || !bytes.Equal(again.document(), once) {
			t.Errorf("%q is encoded as %q, which is parsed with %v", raw, once, err)
		}
	})
}

// The expected bytes are the output of jq 1.7 and 1.8.
func TestDocument(t *testing.T) {
	v, err := parse([]byte(`{"b":[1,-2,{},[]],"a":"\u007f\u2028\ud83d\ude00\ud800\"\\\/\b\f\n\r\t\u0001<>&ü","":null,"x":{"y":true}}`))
	if err != nil {
		t.Fatal(err)
	}
	const want = "{\n  \"b\": [\n    1,\n    -2,\n    {},\n    []\n  ],\n" +
		`  "a": "\u007f` + "\u2028\U0001F600\uFFFD" + `\"\\/\b\f\n\r\t\u0001<>&ü",` + "\n  \"\": null,\n  \"x\": {\n    \"y\": true\n  }\n}\n"
	if got := string(v.document()); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}
