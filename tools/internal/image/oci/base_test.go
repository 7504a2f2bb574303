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

// goldenBase is a base that the real rules_oci has built upon.
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

func TestComposeOnBaseAsRulesOCI(t *testing.T) {
	for name, arch := range map[string]string{"docker": "amd64", "oci": "arm64"} {
		base := goldenBase(t, name)
		m := compose(t, Image{
			OS: "linux", Arch: arch, Base: base, Layers: layers["amd64"][:1],
			Entrypoint:  []string{"/hyperkube", "serve"},
			Env:         []versions.Pair{{Key: "PATH", Value: "/opt:$PATH"}, {Key: "NEW", Value: "${PATH}:$B-$NONE-$"}, {Key: "B", Value: "third"}},
			Labels:      []versions.Pair{{Key: "org.b", Value: "1"}, {Key: "org.a", Value: "two"}},
			Annotations: []versions.Pair{{Key: "org.z", Value: "2"}, {Key: "org.c", Value: "1"}},
			WorkingDir:  "/tmp",
		})
		golden(t, name+"/config.json", m.Config.Bytes)
		golden(t, name+"/manifest.json", m.Bytes)
		if m.MediaType != base.MediaType || len(m.Layers) != len(base.Layers)+1 || m.Layers[0] != base.Layers[0] || m.Layers[len(base.Layers)].DiffID != layers["amd64"][0].DiffID {
			t.Errorf("%s: composed %s of %+v", name, m.MediaType, m.Layers)
		}
		// What it was composed upon is as it was.
		again := goldenBase(t, name)
		if !bytes.Equal(base.config.document(), again.config.document()) || !bytes.Equal(base.manifest.document(), again.manifest.document()) {
			t.Errorf("%s: the base has changed", name)
		}
		if _, err := Compose(Image{OS: "linux", Arch: "s390x", Base: base}); err == nil || !strings.Contains(err.Error(), "composing an image for linux/s390x: its base is for linux/"+arch) {
			t.Errorf("another platform: %v", err)
		}
	}
}

// An index says of a base's variant, and an image keeps what it does not set.
func TestComposeKeepsBase(t *testing.T) {
	amd64, arm64 := compose(t, Image{Base: goldenBase(t, "docker")}), compose(t, Image{Base: goldenBase(t, "oci")})
	index, err := Index([]Manifest{amd64, arm64})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"mediaType": "application/vnd.docker.distribution.manifest.v2+json",`,
		"\"os\": \"linux\",\n        \"architecture\": \"amd64\"\n",
		"\"os\": \"linux\",\n        \"architecture\": \"arm64\",\n        \"variant\": \"v8\"\n",
	} {
		if !strings.Contains(string(index.Bytes), want) {
			t.Errorf("no %s in %s", want, index.Bytes)
		}
	}
	if !strings.Contains(string(amd64.Config.Bytes), "\"Cmd\": [\n      \"sh\"") || strings.Contains(string(arm64.Config.Bytes), "Cmd") || strings.Contains(string(amd64.Bytes), `"data"`) {
		t.Errorf("composed %s of %s, and %s", amd64.Bytes, amd64.Config.Bytes, arm64.Config.Bytes)
	}
}

func TestBaseLayout(t *testing.T) {
	b := goldenBase(t, "docker")
	dir := t.TempDir()
	if err := WriteBase(dir, b, func(digest, to string) error { return os.WriteFile(to, []byte(digest), 0o644) }); err != nil {
		t.Fatal(err)
	}
	back, err := ReadBase(dir)
	if err != nil || !bytes.Equal(back.Manifest, b.Manifest) || !bytes.Equal(back.Config, b.Config) {
		t.Errorf("read back %+v, %v", back, err)
	}
	for _, name := range []string{"index.json", blobPath(newBlob("", b.Manifest).Digest), blobPath("sha256:" + b.ConfigDescriptor.Digest.String())} {
		file := filepath.Join(dir, name)
		raw := read(t, file)
		for what, bad := range map[string][]byte{"flipped": bytes.Replace(raw, []byte("o"), []byte("0"), 1), "cut": raw[:len(raw)/2], "long": append(bytes.Clone(raw), make([]byte, MaxDocument)...)} {
			if err := os.WriteFile(file, bad, 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := ReadBase(dir); err == nil && name != "index.json" || err == nil && what != "flipped" {
				t.Errorf("%s, %s: was read", name, what)
			}
		}
		if err := os.WriteFile(file, raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	failing := errors.New("no room")
	if err := WriteBase(t.TempDir(), b, func(string, string) error { return failing }); !errors.Is(err, failing) {
		t.Errorf("got %v", err)
	}
}

// Each case breaks the good base at one place of its manifest or config.
func TestHostileBases(t *testing.T) {
	good := goldenBase(t, "docker")
	digest := good.LayerDescriptors[0].Digest.String()
	for name, test := range map[string]struct{ old, new, want string }{
		"not JSON":            {"{", "<", "reading the manifest of a base image, sha256:"},
		"more":                {"}\n   ]\n}", "}\n   ]\n}{}", "after top-level value"},
		"an index":            {"distribution.manifest.v2+json", "distribution.manifest.list.v2+json", "want the manifest of an image, got the media type"},
		"schema 1":            {"distribution.manifest.v2+json", "distribution.manifest.v1+prettyjws", "want the manifest of an image"},
		"no media type":       {`"mediaType": "application/vnd.docker.distribution.manifest.v2+json",`, "", "config: want the media type application/vnd.oci.image.config.v1+json"},
		"another schema":      {`"schemaVersion": 2`, `"schemaVersion": 1`, "want schemaVersion 2"},
		"text for a number":   {`"schemaVersion": 2`, `"schemaVersion": "2"`, "want schemaVersion 2"},
		"layers no list":      {`"layers": [`, `"layers": {}, "x": [`, "layers a list"},
		"annotations no map":  {`"layers": [`, `"annotations": [], "layers": [`, "want annotations to be an object"},
		"an artifact":         {"docker.container.image", "docker.plugin", `config: want the media type application/vnd.docker.container.image.v1+json, got "application/vnd.docker.plugin.v1+json"`},
		"foreign layer":       {"image.rootfs.diff.tar.gzip", "image.rootfs.foreign.diff.tar.gzip", `layers[0]: want the media type`},
		"layer at a URL":      {`"digest": "sha256:` + digest, `"urls": ["https://example.com/x"], "digest": "sha256:` + digest, "layers[0]: it is to be had at URLs and not in the registry, which is not supported"},
		"no URLs":             {`"digest": "sha256:` + digest, `"urls": [], "digest": "sha256:` + digest, "layers[0]: it is to be had at URLs"},
		"huge layer":          {`"size": 96`, `"size": 5368709120`, "layers[0]: want a size of at most 4294967296 bytes, got 5368709120"},
		"negative size":       {`"size": 96`, `"size": -96`, "layers[0]: want a size"},
		"no size":             {`"size": 96,`, "", "layers[0]: want a size of at most 4294967296 bytes, got null"},
		"half a byte":         {`"size": 96`, `"size": 96.5`, "the number 96.5 is not a whole one"},
		"exponent":            {`"size": 96`, `"size": 9e1`, "the number 9e1 is not a whole one"},
		"beyond floats":       {`"size": 96`, `"size": 9007199254740993`, "is not a whole one within"},
		"climbing digest":     {"sha256:" + digest, "sha256:../../../../etc/passwd", "layers[0]: "},
		"another algorithm":   {"sha256:" + digest, "sha512:" + digest + digest, "layers[0]: want a digest like sha256:…"},
		"key twice":           {`"schemaVersion": 2`, `"schemaVersion": 2, "schemaVersion": 2`, `the key "schemaVersion" stands twice`},
		"key twice, escaped":  {`"schemaVersion": 2`, `"schemaVersion": 2, "schem\u0061Version": 2`, `the key "schemaVersion" stands twice`},
		"key in capitals":     {`"layers": [`, `"Layers": [], "layers": [`, `the key "Layers" is "layers" for some programs, and not for others`},
		"size in capitals":    {`"size": 96`, `"Size": 1, "size": 96`, `layers[0]: the key "Size" is "size" for some programs`},
		"not UTF-8":           {`"schemaVersion": 2`, "\"schemaVersion\": 2, \"x\": \"\xff\"", "it is not UTF-8"},
		"deep":                {`"schemaVersion": 2`, `"schemaVersion": 2, "x": ` + strings.Repeat("[", 40) + strings.Repeat("]", 40), "it nests deeper than 32"},
		"many keys":           {`"schemaVersion": 2`, `"schemaVersion": 2, "x": {` + manyKeys(2000) + `}`, "has more than 1000 keys"},
		"too many layers":     {`"layers": [`, `"layers": [` + strings.Repeat("{},", 200), "layers, more than the 127 allowed"},
		"config: wrong size":  {`"size": 784`, `"size": 785`, "and 785 bytes, as the manifest says, got 784 bytes"},
		"config: huge":        {`"size": 784`, `"size": 5000000`, "config: want a size of at most 4194304 bytes"},
		"config: no platform": {"", `"os": "linux"|"os": ""`, "want an operating system and an architecture"},
		"config: no diff_ids": {"", `"diff_ids"|"diff_idz"`, "want as many diff_ids as layers, got 0 and 2"},
		"config: bad diff_id": {"", `"diff_ids": ["sha256:|"diff_ids": ["md5:`, "rootfs.diff_ids[0]: want a digest"},
		"config: history":     {"", `"history": [|"history": {}, "x": [`, "want history to be a list"},
		"config: no object":   {"", `"config": {|"config": [], "x": {`, "config an object"},
		"config: Env":         {"", `"LANG"|""`, "config.Env[1]: want a string like NAME=VALUE"},
		"config: Env number":  {"", `"LANG"|7`, "config.Env[1]: want a string"},
		"config: RootFS":      {"", `"history": [|"RootFS": {}, "history": [`, `the key "RootFS" is "rootfs" for some programs`},
		"config: entrypoint":  {"", `"config": {|"config": {"entrypoint": ["/x"], `, `the key "entrypoint" is "Entrypoint" for some programs`},
		"config: list":        {"", "{\"architecture\"|[{\"architecture\"", "unexpected end of JSON input"},
	} {
		t.Run(name, func(t *testing.T) {
			manifest, config := string(good.Manifest), string(good.Config)
			if old, new, inConfig := strings.Cut(test.new, "|"); inConfig {
				if !strings.Contains(config, old) {
					t.Fatalf("the good config has no %q", old)
				}
				changed := strings.Replace(config, old, new, 1)
				manifest = strings.NewReplacer(
					good.ConfigDescriptor.Digest.String(), fmt.Sprintf("%x", sha256.Sum256([]byte(changed))),
					fmt.Sprintf(`"size": %d`, len(config)), fmt.Sprintf(`"size": %d`, len(changed)),
				).Replace(manifest)
				config = changed
			} else {
				if !strings.Contains(manifest, test.old) {
					t.Fatalf("the good manifest has no %q", test.old)
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
		"index":           {index(amd64, arm64, attested), "arm64", "b"},
		"variant":         {index(amd64, v8), "arm64", "c"},
		"unusual variant": {index(amd64, entry("linux", "amd64", "v3", "f")), "amd64", "a"},
		"no media type":   {strings.Replace(index(amd64, v8), `"mediaType":"`+MediaTypeIndex+`",`, "", 1), "amd64", "a"},
		"docker's":        {strings.Replace(index(amd64, v8), MediaTypeIndex, "application/vnd.docker.distribution.manifest.list.v2+json", 1), "amd64", "a"},
		"not there":       {index(amd64, attested), "arm64", `want one image for linux/arm64, got 0; it has others for ["linux/amd64" "unknown/unknown"]`},
		"other system":    {index(entry("windows", "amd64", "", "a")), "amd64", `want one image for linux/amd64, got 0`},
		"two":             {index(arm64, v8), "arm64", `want one image for linux/arm64, got 2`},
		"nested":          {index(strings.Replace(amd64, MediaTypeManifest, MediaTypeIndex, 1)), "amd64", `want the manifest of an image for linux/amd64, got the media type`},
		"no digest":       {index(strings.Replace(amd64, "sha256:", "", 1)), "amd64", `want a digest`},
		"no JSON":         {"<html>", "amd64", `reading the index of a base image, sha256:`},
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

// What programs differ in is not read; what is read is written as jq does.
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
			t.Errorf("%q is written as %q, which is read with %v", raw, once, err)
		}
	})
}

// As jq 1.7 and 1.8 write it.
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
