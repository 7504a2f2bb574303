package proofs

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hyperkube/hyperkube/tools/proofs/internal/sigstore"
	"github.com/hyperkube/hyperkube/tools/proofs/internal/sigstoretest"
	"github.com/hyperkube/hyperkube/versions"
)

const (
	staging = "krel-staging@k8s-releng-prod.iam.gserviceaccount.com"
	google  = "https://accounts.google.com"
)

// fixture is a repository whose lock has files with the content "VERSION FILE".
type fixture struct {
	*Store
	authority *sigstoretest.Authority
	t         *testing.T
}

var names = []string{"v1.25.0 kubelet", "v1.36.0 kubelet", "v1.36.0 kubectl", "v1.35.0 kubectl"}

func key(t testing.TB, name string) versions.FileKey {
	t.Helper()
	version, file, _ := strings.Cut(name, " ")
	k, err := versions.ParseFileKey("kubernetes/" + version + "/linux/amd64/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func digest(data []byte) versions.Digest { return versions.NewDigest(sha256.Sum256(data)) }

func newFixture(t *testing.T) fixture {
	t.Helper()
	a := sigstoretest.New(t)
	trusted, err := sigstore.ParseRoot("root", a.Root())
	if err != nil {
		t.Fatal(err)
	}
	policy, err := sigstore.ParsePolicy("policy.yaml", []byte(`
source: kubernetes
firstVersion: v1.26.0
signers: [{identity: `+staging+`, issuer: "`+google+`", from: 2022-10-01T00:00:00Z}]
knownMismatches: [{file: kubernetes/v1.35.0/linux/amd64/kubectl, reason: other bytes, url: "https://example.org"}]
`))
	if err != nil {
		t.Fatal(err)
	}
	v, err := sigstore.NewVerifier(trusted, policy)
	if err != nil {
		t.Fatal(err)
	}
	lock := versions.NewLock()
	for _, name := range names {
		lock.Set(versions.Pin{FileKey: key(t, name), SHA256: digest([]byte(name))})
	}
	return fixture{NewStore(t.TempDir(), lock, v), a, t}
}

// sign returns a bundle in JSON.
func (f fixture) sign(data string, o sigstoretest.Options) []byte {
	f.t.Helper()
	if o.Identity == "" {
		o.Identity = staging
	}
	o.Issuer = google
	s := f.authority.Sign([]byte(data), o)
	b, err := sigstore.Assemble(digest([]byte(data)), s.Signature, s.Certificate, s.Entry)
	if err != nil {
		f.t.Fatal(err)
	}
	raw, err := b.Format()
	if err != nil {
		f.t.Fatal(err)
	}
	return raw
}

func write(t testing.TB, dir, name string, data []byte) {
	t.Helper()
	name = filepath.Join(dir, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, data, 0o644)); err != nil {
		t.Fatal(err)
	}
}

// statuses returns "FILE STATUS PATH" by file.
func (f fixture) statuses() string {
	f.t.Helper()
	r, err := f.Report(context.Background())
	if err != nil {
		f.t.Fatal(err)
	}
	var lines []string
	for _, file := range r.Files {
		lines = append(lines, strings.TrimSpace(strings.Join([]string{strings.TrimPrefix(file.Key, "kubernetes/"), string(file.Status), file.Path, file.Reason}, " ")))
		if (file.Status == Proven) != (file.Proof != nil && file.Proof.Identity == staging && time.Since(file.Proof.Time) < time.Hour) {
			f.t.Errorf("%s has proof %+v", file.Key, file.Proof)
		}
	}
	return strings.Join(append(lines, r.Unexpected...), "\n")
}

func newDocument(version string, lines ...string) []byte {
	return []byte("SPDXVersion: SPDX-2.3\nDocumentName: Kubernetes Release " + version + "\n" + strings.Join(lines, "\n") + "\n")
}

func listed(name, content string) string {
	return "FileName: bin/linux/amd64/" + name + "\nSPDXID: SPDXRef-File-x\nFileChecksum: SHA256: " + digest([]byte(content)).String()
}

const none = `v1.25.0/linux/amd64/kubelet unsigned
v1.35.0/linux/amd64/kubectl known-mismatch  other bytes, see https://example.org
`

func TestImport(t *testing.T) {
	kubelet, kubectl := names[1], names[2]
	otherDocument := newDocument("v1.36.0", listed("kubelet", "other"), listed("kubectl", kubectl))
	bothDocument := newDocument("v1.36.0", listed("kubelet", kubelet), listed("kubectl", kubectl))
	mismatchDocument := newDocument("v1.35.0", listed("kubectl", names[3]))
	tests := []struct {
		name  string
		files func(f fixture, dir string)
		want  string // statuses
		err   string // part of the error; "" for none
	}{
		{
			name:  "bundle of a file, any name",
			files: func(f fixture, dir string) { write(t, dir, "a/b.json", f.sign(kubelet, sigstoretest.Options{})) },
			want: none + `v1.36.0/linux/amd64/kubectl missing
v1.36.0/linux/amd64/kubelet proven versions/proofs/v1.36.0/bin/linux/amd64/kubelet.sigstore.json`,
		},
		{
			name: "bundle of an SPDX document",
			files: func(f fixture, dir string) {
				write(t, dir, "x.spdx", bothDocument)
				write(t, dir, "x.json", f.sign(string(bothDocument), sigstoretest.Options{}))
			},
			want: none + `v1.36.0/linux/amd64/kubectl proven versions/proofs/v1.36.0/kubernetes-release.spdx.sigstore.json
v1.36.0/linux/amd64/kubelet proven versions/proofs/v1.36.0/kubernetes-release.spdx.sigstore.json`,
		},
		{
			name: "an SPDX document proves a file with a known mismatch",
			files: func(f fixture, dir string) {
				write(t, dir, "x.spdx", mismatchDocument)
				write(t, dir, "x.json", f.sign(string(mismatchDocument), sigstoretest.Options{}))
			},
			want: strings.Replace(none, "known-mismatch  other bytes, see https://example.org", "proven versions/proofs/v1.35.0/kubernetes-release.spdx.sigstore.json", 1) + `v1.36.0/linux/amd64/kubectl missing
v1.36.0/linux/amd64/kubelet missing`,
		},
		{
			name: "SPDX document that differs from the lock",
			files: func(f fixture, dir string) {
				write(t, dir, "x.spdx", otherDocument)
				write(t, dir, "x.json", f.sign(string(otherDocument), sigstoretest.Options{}))
			},
			err: "kubernetes/v1.36.0/linux/amd64/kubelet has sha256 " + digest([]byte("other")).String() + ", in the lock " + digest([]byte(kubelet)).String(),
		},
		{
			name: "SPDX document of no version of the lock",
			files: func(f fixture, dir string) {
				data := newDocument("v1.37.0", listed("kubelet", kubelet))
				write(t, dir, "x.spdx", data)
				write(t, dir, "x.json", f.sign(string(data), sigstoretest.Options{}))
			},
			err: `no version of the SPDX document "Kubernetes Release v1.37.0"`,
		},
		{
			name:  "file that the lock lacks",
			files: func(f fixture, dir string) { write(t, dir, "x.json", f.sign("other", sigstoretest.Options{})) },
			err:   "no file of the lock",
		},
		{
			name: "other signer; the valid bundle is stored",
			files: func(f fixture, dir string) {
				write(t, dir, "a.json", f.sign(kubectl, sigstoretest.Options{Identity: "mallory@example.org"}))
				write(t, dir, "b.json", f.sign(kubelet, sigstoretest.Options{}))
			},
			want: none + `v1.36.0/linux/amd64/kubectl missing
v1.36.0/linux/amd64/kubelet proven versions/proofs/v1.36.0/bin/linux/amd64/kubelet.sigstore.json`,
			err: "kubernetes/v1.36.0/linux/amd64/kubectl: the policy does not accept the signer",
		},
		{
			name: "malformed bundle",
			files: func(f fixture, dir string) {
				write(t, dir, "a.json", []byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}`))
			},
			err: "parsing bundle",
		},
		{
			name:  "no bundle",
			files: func(f fixture, dir string) { write(t, dir, "a.json", []byte(`{}`)) },
			err:   "has no Sigstore bundle",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, dir := newFixture(t), t.TempDir()
			test.files(f, dir)
			n, err := f.Import(context.Background(), dir)
			if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("got error %v, want %q", err, test.err)
			}
			if test.want == "" {
				test.want = none + "v1.36.0/linux/amd64/kubectl missing\nv1.36.0/linux/amd64/kubelet missing"
			} else if n.Added != 1 || n.Present != 0 {
				t.Errorf("got %+v, want one", n)
			}
			if got := f.statuses(); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
			if n, _ := f.Import(context.Background(), dir); n.Added != 0 {
				t.Errorf("the second import added %+v", n)
			}
		})
	}
}

// The files of the repository are changed after the import.
func TestContradiction(t *testing.T) {
	kubelet := names[1]
	const path = "versions/proofs/v1.36.0/bin/linux/amd64/kubelet.sigstore.json"
	const spdx = "versions/proofs/v1.36.0/kubernetes-release.spdx"
	doc := newDocument("v1.36.0", listed("kubelet", kubelet))
	tests := []struct {
		name  string
		files func(f fixture) map[string]string
		want  string // part of the last lines
	}{
		{"bundle of another file", func(f fixture) map[string]string {
			return map[string]string{path: string(f.sign(names[2], sigstoretest.Options{}))}
		}, "kubelet contradiction " + path + " the bundle is of another file"},
		{"no bundle", func(f fixture) map[string]string { return map[string]string{path: "{}"} }, "kubelet contradiction " + path + " parsing bundle"},
		{"large file", func(f fixture) map[string]string {
			return map[string]string{path: strings.Repeat(" ", sigstore.MaxBundle+1)}
		}, "kubelet contradiction " + path},
		{"changed document", func(f fixture) map[string]string {
			return map[string]string{spdx: string(doc) + " ", spdx + Suffix: string(f.sign(string(doc), sigstoretest.Options{}))}
		}, "kubelet contradiction " + spdx + Suffix + " the bundle is of another file"},
		{"document without bundle", func(f fixture) map[string]string {
			return map[string]string{spdx: string(doc)}
		}, "and its bundle, got one of them"},
		{"document of another version", func(f fixture) map[string]string {
			doc := newDocument("v1.35.0", listed("kubelet", kubelet))
			return map[string]string{spdx: string(doc), spdx + Suffix: string(f.sign(string(doc), sigstoretest.Options{}))}
		}, `want the document of v1.36.0, got "Kubernetes Release v1.35.0"`},
		{"document of other bytes", func(f fixture) map[string]string {
			doc := newDocument("v1.36.0", listed("kubelet", "other"))
			return map[string]string{spdx: string(doc), spdx + Suffix: string(f.sign(string(doc), sigstoretest.Options{}))}
		}, "the SPDX document lists sha256 " + digest([]byte("other")).String()},
		{"unexpected file", func(f fixture) map[string]string {
			return map[string]string{"versions/proofs/v1.36.0/bin/linux/amd64/x.sigstore.json": string(f.sign("x", sigstoretest.Options{}))}
		}, "missing\nversions/proofs/v1.36.0/bin/linux/amd64/x.sigstore.json"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			for name, data := range test.files(f) {
				write(t, f.root, name, []byte(data))
			}
			if got := f.statuses(); !strings.Contains(got, test.want) {
				t.Errorf("got\n%s\nwant %q", got, test.want)
			}
			if r, _ := f.Report(context.Background()); r.Contradictions() == 0 {
				t.Error("got no contradiction")
			}
		})
	}
}
