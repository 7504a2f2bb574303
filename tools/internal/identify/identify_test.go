package identify

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/versions"
)

const kubelet = "kubernetes/v1.36.0/linux/amd64/kubelet"

func TestFile(t *testing.T) {
	amd64, arm64 := build(t, "k8s.io/kubernetes/cmd/kubelet", "amd64", "v1.36.0"), build(t, "k8s.io/kubernetes/cmd/kubelet", "arm64", "v1.36.0")
	changed := bytes.Clone(amd64)
	changed[len(changed)/3] ^= 1
	fork := build(t, "k8s.io/kubernetes/cmd/kubelet", "amd64", "v1.36.0-rancher1")
	var compressed bytes.Buffer
	z := gzip.NewWriter(&compressed)
	z.Write(amd64)
	z.Close()
	index := newIndex(t, map[string][]byte{
		kubelet: amd64, "kubernetes/v1.36.0/linux/arm64/kubelet": arm64, "rancher/v1.36.0/linux/amd64/kubelet": fork,
	})
	for name, test := range map[string]struct {
		content []byte
		verdict Verdict
		nearest string
		note    string // part of one of the notes
	}{
		"official":                {amd64, Official, "", ""},
		"other platform":          {arm64, Official, "", "built for linux/arm64; this machine is"},
		"pinned":                  {fork, Pinned, "", ""},
		"one byte":                {changed, Differs, kubelet, "with the same platform, version, build date, size: changed after the build"},
		"more bytes":              {append(bytes.Clone(amd64), 0), Differs, kubelet, "other bytes than " + kubelet + ", with the same platform, version, build date"},
		"truncated":               {amd64[:len(amd64)-1], Differs, kubelet, "by platform, version, program, complete size"},
		"beginning":               {amd64[:8192], Differs, kubelet, "by platform, complete size"},
		"patch not pinned":        {build(t, "k8s.io/kubernetes/cmd/kubelet", "amd64", "v1.36.9"), Differs, "kubernetes/v1.36.1/linux/amd64/kubelet", "the lock has no kubelet v1.36.9"},
		"minor not pinned":        {build(t, "k8s.io/kubernetes/cmd/kubelet", "amd64", "v1.99.0"), Differs, "", "the lock has no kubelet v1.99.0"},
		"architecture not pinned": {bytes.ReplaceAll(amd64, []byte("GOARCH=amd64"), []byte("GOARCH=s390x")), Differs, "", "kubelet v1.36.0 for linux/s390x: the lock has linux/amd64 and linux/arm64 only"},
		"Go program":              {build(t, "example.org/agent", "amd64", "v1.36.0"), NotFound, "", "not one of Kubernetes"},
		"web page":                {[]byte("<!doctype html>"), NotFound, "", "a web page"},
		"empty":                   {nil, NotFound, "", "an empty file"},
		"compressed":              {compressed.Bytes(), NotFound, "", "gzip: see its content"},
		"damaged gzip":            {compressed.Bytes()[:compressed.Len()/2], NotFound, "", "damaged: decompressing: unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(file, test.content, 0o755); err != nil {
				t.Fatal(err)
			}
			a, err := index.File(t.Context(), "file", file)
			if err != nil {
				t.Fatal(err)
			}
			nearest := ""
			if a.Nearest != nil {
				nearest = a.Nearest.Key
			}
			if a.Verdict != test.verdict || nearest != test.nearest {
				t.Errorf("got %s, nearest %q, want %s, %q", a.Verdict, nearest, test.verdict, test.nearest)
			}
			if notes := strings.Join(a.Notes, "\n"); !strings.Contains(notes, test.note) {
				t.Errorf("got notes %q, want %q", notes, test.note)
			}
			if inner := a.Compressed; (inner != nil) != (name == "compressed") || inner != nil && inner.Verdict != Official {
				t.Errorf("got content %+v", inner)
			}
		})
	}
}

func TestPin(t *testing.T) {
	index := newIndex(t, map[string][]byte{kubelet: []byte("x")})
	a, err := index.Digest("sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881")
	if err != nil || a.Verdict != Official || len(a.Pins) != 1 {
		t.Fatalf("got %+v, %v", a, err)
	}
	p := a.Pins[0]
	if p.Key != kubelet || !p.Official || !p.Supported || p.EndOfLife.Date != "2027-06-28" || p.BuildDate != "2026-04-22T13:54:03Z" ||
		p.Commit != "ecf6decece6a6de25a57aad9ba90b6ce580f6f78" || p.Rebuild == nil || p.Rebuild.Toolchain != "go1.26.2" {
		t.Errorf("got %+v", p)
	}
	if len(p.Images) != 1 || p.Images[0] != (Use{"hyperkube:v1.36.0", "/kubelet", digest}) {
		t.Errorf("got images %+v", p.Images)
	}
}

// Packages and archives are inputs of images.
func TestInputs(t *testing.T) {
	index := newIndex(t, nil)
	for content, want := range map[string]string{"package": "package of base-files 13.8", "archive": "archive of rancher/v1.36.0/linux/arm64/kubelet"} {
		a, err := index.Digest(versions.NewDigest(sha256.Sum256([]byte(content))).String())
		if err != nil || a.Verdict != Recorded || len(a.Documents) != 1 {
			t.Fatalf("%s: got %+v, %v", content, a, err)
		}
		if got := a.Documents[0].Kind + " of " + a.Documents[0].Image; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestName(t *testing.T) {
	index := newIndex(t, nil)
	for input, want := range map[string]struct {
		verdict  Verdict
		document string // kind and image of the first document
	}{
		"hyperkube:v1.36.0": {Recorded, "index of hyperkube:v1.36.0"},
		"v1.36.0":           {Recorded, "index of hyperkube:v1.36.0"},
		"v1.36.1":           {Declared, ""},
		"mirror.example:5000/a/project/hyperkube:v1.36.0":       {Recorded, "index of hyperkube:v1.36.0"},
		"mirror.example:5000/a/other/hyperkube:v1.36.0":         {NotFound, ""},
		"mirror.example:5000/a/project/hyperkube:v9":            {NotFound, ""},
		"mirror.example/x@" + digest:                            {Recorded, "index of hyperkube:v1.36.0"},
		"mirror.example/x:v1@sha256:" + strings.Repeat("b", 64): {NotFound, ""},
		digest: {Recorded, "index of hyperkube:v1.36.0"},
		"sha256:90ae4ae27d35dcb1ce0a3c6d4d0b3a1c0b2a4d3a9be7c0a6e3d3f2f6a1b7a7a1": {NotFound, ""},
	} {
		a, err := index.Digest(input)
		if err != nil {
			a, err = index.Name(input)
		}
		if err != nil {
			t.Errorf("%s: %v", input, err)
			continue
		}
		document := ""
		if len(a.Documents) > 0 {
			document = a.Documents[0].Kind + " of " + a.Documents[0].Image
		}
		if a.Input != input || a.Verdict != want.verdict || document != want.document {
			t.Errorf("%s: got %s, %q, want %s, %q", input, a.Verdict, document, want.verdict, want.document)
		}
	}
	for _, input := range []string{"kubelet", "x@sha256:abc", "A B:c"} {
		if a, err := index.Name(input); err == nil {
			t.Errorf("%s: got %+v, want an error", input, a)
		}
	}
}
