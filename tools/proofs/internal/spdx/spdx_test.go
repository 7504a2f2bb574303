package spdx

import (
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/versions"
)

const (
	head = "SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\nDocumentName: Kubernetes Release v1.36.0\nDocumentNamespace: https://sbom.k8s.io/v1.36.0/release\n"
	sumA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	sumB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

func TestParse(t *testing.T) {
	const kubelet = "FileName: bin/linux/amd64/kubelet\nSPDXID: SPDXRef-File-kubelet\nFileChecksum: SHA1: cc\nFileChecksum: SHA256: " + sumA + "\n"
	tests := []struct {
		name, text string
		want       string // files; or part of the error
	}{
		{"files", head + "\n" + kubelet + "\nFileName: ./a\nFileChecksum: SHA256: " + sumB + "\nLicenseConcluded: Apache-2.0\n", "./a bin/linux/amd64/kubelet"},
		{"the same twice", head + kubelet + kubelet, "bin/linux/amd64/kubelet"},
		{"text with tags", head + "FileName: x\nFileComment: <text>a\n" + kubelet + "b</text>\n", ""},
		{"package after file", head + "FileName: x\n\nPackageName: y\nFileChecksum: SHA256: " + sumA + "\n", ""},
		{"two digests", head + kubelet + strings.ReplaceAll(kubelet, sumA, sumB), "line 12: \"bin/linux/amd64/kubelet\" has sha256"},
		{"invalid digest", head + "FileName: x\nFileChecksum: SHA256: ABC\n", "line 6: \"ABC\" is not a sha256"},
		{"JSON", `{"spdxVersion": "SPDX-2.3"}`, "want a first line"},
		{"long line", head + strings.Repeat("x", 2<<20), "token too long"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			doc, err := Parse([]byte(test.text))
			if err != nil {
				if test.want == "" || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got error %v, want %q", err, test.want)
				}
				return
			}
			files := strings.Fields(strings.ReplaceAll(test.want, "./", ""))
			if len(doc.Files) != len(files) {
				t.Errorf("got %v, want %q", doc.Files, files)
			}
			for _, name := range files {
				if doc.Files[name] == (versions.Digest{}) {
					t.Errorf("got %v, want %q", doc.Files, name)
				}
			}
		})
	}
}

func TestIsOf(t *testing.T) {
	doc, err := Parse([]byte(head))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"v1.36.0": true, "v1.36.1": false, "v1.3.0": false} {
		v, err := versions.ParseVersion(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range []Document{doc, {Name: doc.Name}, {Namespace: doc.Namespace}} {
			if d.IsOf(v) != want {
				t.Errorf("%+v is of %s: got %v", d, v, !want)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(head + "FileName: x\nFileChecksum: SHA256: " + sumA + "\nComment: <text>\n</text>\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := Parse(data)
		if err != nil {
			return
		}
		for name, digest := range doc.Files {
			if !strings.Contains(string(data), name) || !strings.Contains(string(data), digest.String()) {
				t.Errorf("%q: %s is not in the document", name, digest)
			}
		}
	})
}
