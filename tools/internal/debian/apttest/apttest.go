// Package apttest serves Debian archives that are signed by a key of the test.
package apttest

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Archives are an archive and a security archive of the suite "trixie".
type Archives struct {
	Archive, Security string // URIs
	Keyring           string // the file with the public key
	Date              time.Time
	Valid             time.Duration // from Date; 0 for ever

	t    testing.TB
	dir  string // served
	home string // of gpg
}

// Package is a package of an archive.
type Package struct {
	Name, Version string
	Architecture  string // "" for both
	Fields        string // more lines of the index
}

// Deb returns the content of the package's file, which is not a real .deb.
func (p Package) Deb(arch string) string { return p.Name + " " + p.Version + " " + arch + "\n" }

// Path returns the path of the package's file in the archive.
func (p Package) Path(arch string) string {
	_, version, epoch := strings.Cut(p.Version, ":")
	if !epoch {
		version = p.Version
	}
	return fmt.Sprintf("pool/main/%c/%s/%s_%s_%s.deb", p.Name[0], p.Name, p.Name, version, arch)
}

// New returns archives without packages. It skips the test on machines without apt
// and gpg.
func New(t testing.TB) *Archives {
	for _, program := range []string{"apt-get", "gpg", "gpgv"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("needs %s", program)
		}
	}
	a := &Archives{t: t, dir: t.TempDir(), Date: time.Date(2025, 8, 27, 2, 10, 32, 0, time.UTC)}
	// The path of a socket in the home directory is limited to 108 bytes.
	var err error
	if a.home, err = os.MkdirTemp("", "gpg"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := exec.Command("gpgconf", "--homedir", a.home, "--kill", "all").Run(); err != nil {
			t.Error(err)
		}
		if err := os.RemoveAll(a.home); err != nil {
			t.Error(err)
		}
	})
	a.gpg("--quick-gen-key", "archive@example.com", "ed25519", "sign", "never")
	a.Keyring = filepath.Join(a.dir, "keyring.gpg")
	a.gpg("--export", "-o", a.Keyring)
	server := httptest.NewServer(http.FileServer(http.Dir(a.dir)))
	t.Cleanup(server.Close)
	a.Archive, a.Security = server.URL+"/debian", server.URL+"/debian-security"
	for _, suite := range []string{"trixie", "trixie-updates", "trixie-security"} {
		a.Publish(suite)
	}
	return a
}

// Publish replaces the packages in the index of a suite. Their files stay.
func (a *Archives) Publish(suite string, packages ...Package) {
	archive := "debian"
	if strings.HasSuffix(suite, "-security") {
		archive = "debian-security"
	}
	release := fmt.Sprintf("Origin: Debian\nSuite: %s\nCodename: %[1]s\nDate: %s\nArchitectures: all amd64 arm64\nComponents: main\n"+
		"No-Support-for-Architecture-all: Packages\nSHA256:\n", suite, a.Date.Format("Mon, 02 Jan 2006 15:04:05 UTC"))
	if a.Valid > 0 {
		release = "Valid-Until: " + a.Date.Add(a.Valid).Format("Mon, 02 Jan 2006 15:04:05 UTC") + "\n" + release
	}
	dists := archive + "/dists/" + suite
	for _, arch := range []string{"amd64", "arm64"} {
		var index strings.Builder
		for _, p := range packages {
			of := p.Architecture
			if of == "" {
				of = arch
			}
			if of != arch && of != "all" {
				continue
			}
			deb := p.Deb(of)
			a.write(archive+"/"+p.Path(of), deb)
			fmt.Fprintf(&index, "Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: x\nDescription: x\n%sFilename: %s\nSize: %d\nSHA256: %x\n\n",
				p.Name, p.Version, of, p.Fields, p.Path(of), len(deb), sha256.Sum256([]byte(deb)))
		}
		name := "main/binary-" + arch + "/Packages"
		a.write(dists+"/"+name, index.String())
		release += fmt.Sprintf(" %x %d %s\n", sha256.Sum256([]byte(index.String())), index.Len(), name)
	}
	a.write(dists+"/Release", release)
	file := filepath.Join(a.dir, dists)
	a.gpg("--clearsign", "-o", filepath.Join(file, "InRelease"), filepath.Join(file, "Release"))
	if err := os.Remove(filepath.Join(file, "Release")); err != nil {
		a.t.Fatal(err)
	}
}

// Replace replaces a string in the signed index of a suite.
func (a *Archives) Replace(name, old, replacement string) {
	file := filepath.Join(a.dir, name)
	raw, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(raw), old) {
		a.t.Fatalf("no %q in %s: %v", old, name, err)
	}
	a.write(name, strings.ReplaceAll(string(raw), old, replacement))
}

// Remove removes a file of an archive.
func (a *Archives) Remove(name string) {
	if err := os.Remove(filepath.Join(a.dir, name)); err != nil {
		a.t.Fatal(err)
	}
}

func (a *Archives) write(name, text string) {
	file := filepath.Join(a.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		a.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		a.t.Fatal(err)
	}
}

func (a *Archives) gpg(args ...string) {
	a.t.Helper()
	cmd := exec.Command("gpg", append([]string{"--homedir", a.home, "--batch", "--yes", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		a.t.Fatalf("running %q: %v\n%s", cmd.Args, err, out)
	}
}
