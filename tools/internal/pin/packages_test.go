package pin

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/internal/debian/apttest"
	"github.com/hyperkube/hyperkube/versions"
)

const manifest = `schema: 1
registry: registry.example
sources:
  programs: {kind: gobuild, toolchain: go1.26.8, packages: {sleep: ./images/sleep}}
debian:
  suite: trixie
  sets:
    # Not in the order of the names: a set extends one that follows it.
    base: {packages: [libc6]}
    a.slim: {extends: base, packages: [bash]}
    storage: {extends: a.slim, packages: [git], optional: true}
flavors:
  f: {repository: f, tag: "{version}", versions: "< 1.0.0", architectures: [amd64], files: [{path: /sleep, source: programs/sleep}], entrypoint: [/sleep]}
releases: [v1.36.0]
`

// checkout is a directory with a manifest and a lock, and the archives of a test.
type checkout struct {
	*apttest.Archives
	t   *testing.T
	dir string
	env map[string]string
	err bytes.Buffer
}

func newCheckout(t *testing.T) *checkout {
	a := apttest.New(t)
	c := &checkout{Archives: a, t: t, dir: t.TempDir(), env: map[string]string{
		"HYPERKUBE_DEBIAN_MIRROR": a.Archive, "HYPERKUBE_DEBIAN_SECURITY_MIRROR": a.Security, "HYPERKUBE_CACHE": t.TempDir(),
	}}
	if err := os.Mkdir(filepath.Join(c.dir, "versions"), 0o755); err != nil {
		t.Fatal(err)
	}
	c.write(versions.ManifestFile, manifest)
	c.write(versions.LockFile, string(versions.NewLock().Format()))
	return c
}

func (c *checkout) write(name, text string) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o644); err != nil {
		c.t.Fatal(err)
	}
}

func (c *checkout) cliEnv() cli.Env {
	return cli.Env{Dir: c.dir, Err: &c.err, Getenv: func(name string) string { return c.env[name] }}
}

func (c *checkout) add(o Options) error {
	o.Keyring = c.Keyring
	return Add(c.t.Context(), c.cliEnv(), o)
}

// pins returns SET/ARCH/NAME=VERSION of all packages in the lock.
func (c *checkout) pins() string {
	c.t.Helper()
	raw, err := os.ReadFile(filepath.Join(c.dir, versions.LockFile))
	if err != nil {
		c.t.Fatal(err)
	}
	lock, err := versions.ParseLock(versions.LockFile, raw)
	if err != nil {
		c.t.Fatal(err)
	}
	var all []string
	for _, pin := range lock.AllPackages() {
		all = append(all, pin.Set+"/"+pin.Platform.Arch()+"/"+pin.Name+"="+pin.Version)
	}
	return strings.Join(all, " ")
}

func (c *checkout) wantPins(want string) {
	c.t.Helper()
	if got := c.pins(); got != want {
		c.t.Errorf("pins %s\nwant %s\n%s", got, want, c.err.String())
	}
}

func (c *checkout) wantOutdated(want ...string) {
	c.t.Helper()
	got, err := Outdated(c.t.Context(), c.cliEnv(), c.Keyring)
	if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
		c.t.Errorf("outdated:\n%s, %v\nwant\n%s", strings.Join(got, "\n"), err, strings.Join(want, "\n"))
	}
}

var (
	libc6 = apttest.Package{Name: "libc6", Version: "2.41-12"}
	bash  = apttest.Package{Name: "bash", Version: "5.2-1", Fields: "Depends: libc6, libtinfo6\n"}
	tinfo = apttest.Package{Name: "libtinfo6", Version: "6.5"}
	jq    = apttest.Package{Name: "jq", Version: "1.7", Architecture: "all"}
)

const pinned = "a.slim/amd64/bash=5.2-1 a.slim/amd64/libtinfo6=6.5 a.slim/arm64/bash=5.2-1 a.slim/arm64/libtinfo6=6.5 base/amd64/libc6=2.41-12 base/arm64/libc6=2.41-12"

func TestPackages(t *testing.T) {
	c := newCheckout(t)
	c.Publish("trixie", libc6, bash, tinfo, jq)
	missing, err := Missing(c.cliEnv())
	if want := "debian/a.slim/linux/amd64/bash debian/a.slim/linux/arm64/bash debian/base/linux/amd64/libc6 debian/base/linux/arm64/libc6"; err != nil || strings.Join(missing, " ") != want {
		t.Errorf("missing %v, %v", missing, err)
	}
	if err := c.add(Options{}); err != nil {
		t.Fatal(err)
	}
	c.wantPins(pinned)
	c.wantOutdated()

	// A second run reads no index.
	c.env["HYPERKUBE_UPSTREAM"] = "off"
	if err := c.add(Options{}); err != nil {
		t.Error(err)
	}
	c.wantOutdated()
	if err := c.add(Options{UpgradePackages: true}); err == nil || !strings.Contains(err.Error(), "downloads are disabled") {
		t.Errorf("got %v", err)
	}
	delete(c.env, "HYPERKUBE_UPSTREAM")

	// A new package changes no other, and a set below takes the pin of a set above.
	newer := bash
	newer.Version = "5.2-2"
	c.Publish("trixie", libc6, bash, newer, tinfo, jq)
	c.write(versions.ManifestFile, strings.Replace(manifest, "base: {packages: [libc6]}", "base: {packages: [libc6, libtinfo6, jq]}", 1))
	if err := c.add(Options{}); err != nil {
		t.Fatal(err)
	}
	c.wantPins("a.slim/amd64/bash=5.2-1 a.slim/arm64/bash=5.2-1 base/amd64/jq=1.7 base/amd64/libc6=2.41-12 base/amd64/libtinfo6=6.5 " +
		"base/arm64/jq=1.7 base/arm64/libc6=2.41-12 base/arm64/libtinfo6=6.5")
	c.wantOutdated("debian/a.slim/linux/amd64/bash 5.2-1: newer version 5.2-2", "debian/a.slim/linux/arm64/bash 5.2-1: newer version 5.2-2")

	// An upgrade drops packages that are no longer required.
	c.write(versions.ManifestFile, manifest)
	if err := c.add(Options{UpgradePackages: true}); err != nil {
		t.Fatal(err)
	}
	c.wantPins(strings.ReplaceAll(pinned, "bash=5.2-1", "bash=5.2-2"))
}

// An upgrade changes images that may have been published: they get another tag.
func TestUpgradeRaisesIterations(t *testing.T) {
	c := newCheckout(t)
	text := strings.NewReplacer(
		`tag: "{version}", versions: "< 1.0.0"`, `tag: "{version}{-iteration}", versions: ">= 1.36.0", packages: base`,
		"releases: [v1.36.0]\n", "releases:\n  - v1.35.0\n  - v1.36.0\n  - {version: v1.36.1, iterations: {f: 4}}\n",
	).Replace(manifest)
	c.write(versions.ManifestFile, text)
	c.write(versions.LockFile, `{"schema": 1, "files": [{"source": "programs", "platform": "linux/amd64", "file": "sleep", "sha256": "`+strings.Repeat("a", 64)+`"}]}`)
	wantManifest := func(want string) {
		t.Helper()
		if got, err := os.ReadFile(filepath.Join(c.dir, versions.ManifestFile)); err != nil || string(got) != want {
			t.Errorf("manifest\n%s, %v\nwant\n%s", got, err, want)
		}
	}
	c.Publish("trixie", libc6, bash, tinfo)
	for _, o := range []Options{{}, {UpgradePackages: true}} {
		if err := c.add(o); err != nil {
			t.Fatal(err)
		}
		wantManifest(text)
	}
	// No image has bash.
	newer := bash
	newer.Version = "5.2-2"
	c.Publish("trixie", libc6, newer, tinfo)
	if err := c.add(Options{UpgradePackages: true}); err != nil {
		t.Fatal(err)
	}
	wantManifest(text)
	newer = libc6
	newer.Version = "2.41-13"
	c.Publish("trixie", newer, bash, tinfo)
	if err := c.add(Options{UpgradePackages: true}); err != nil {
		t.Fatal(err)
	}
	wantManifest(strings.NewReplacer("  - v1.36.0\n", "  - {version: v1.36.0, iterations: {f: 2}}\n", "f: 4", "f: 5").Replace(text))
	if !strings.Contains(c.err.String(), "raised the iterations of 2 images") {
		t.Errorf("printed %s", c.err.String())
	}
}

func TestPackagesOutdated(t *testing.T) {
	c := newCheckout(t)
	c.Publish("trixie", libc6, bash, tinfo)
	if err := c.add(Options{}); err != nil {
		t.Fatal(err)
	}
	security := libc6
	security.Version = "2.41-12+deb13u1"
	newer := libc6
	newer.Version = "2.41-13"
	older := tinfo
	older.Version = "6.5~rc1"
	c.Publish("trixie-security", security)
	c.Publish("trixie", newer, bash, older)
	c.wantOutdated(
		"debian/a.slim/linux/amd64/libtinfo6 6.5: the index no longer has pool/main/l/libtinfo6/libtinfo6_6.5_amd64.deb of debian",
		"debian/a.slim/linux/arm64/libtinfo6 6.5: the index no longer has pool/main/l/libtinfo6/libtinfo6_6.5_arm64.deb of debian",
		"debian/base/linux/amd64/libc6 2.41-12: newer version 2.41-13, with a security update",
		"debian/base/linux/amd64/libc6 2.41-12: the index no longer has pool/main/l/libc6/libc6_2.41-12_amd64.deb of debian",
		"debian/base/linux/arm64/libc6 2.41-12: newer version 2.41-13, with a security update",
		"debian/base/linux/arm64/libc6 2.41-12: the index no longer has pool/main/l/libc6/libc6_2.41-12_arm64.deb of debian",
	)
	// A pinned version that is gone is not replaced by another one.
	c.write(versions.ManifestFile, strings.Replace(manifest, "[bash]", "[bash, jq]", 1))
	c.Publish("trixie", newer, bash, tinfo, jq)
	err := c.add(Options{})
	if err == nil || !strings.Contains(err.Error(), "the indexes lack the pinned versions of 2 packages: debian/base/linux/amd64/libc6 2.41-12, debian/base/linux/arm64/libc6 2.41-12\n"+
		"Fix: upgrade all packages with --upgrade-packages, or pin from the snapshots of the lock: set HYPERKUBE_DEBIAN_MIRROR=https://snapshot.debian.org/archive/debian/20250827T141032Z HYPERKUBE_DEBIAN_SECURITY_MIRROR=https://snapshot.debian.org/archive/debian-security/20250827T141032Z") {
		t.Errorf("got %v", err)
	}
	c.wantPins(pinned)
}

// A version never has other bytes.
func TestPackagesOtherBytes(t *testing.T) {
	c := newCheckout(t)
	c.Publish("trixie", libc6, bash, tinfo)
	if err := c.add(Options{}); err != nil {
		t.Fatal(err)
	}
	other := tinfo
	other.Architecture = "all"
	c.Publish("trixie", libc6, bash, other)
	err := c.add(Options{UpgradePackages: true})
	if err == nil || cli.Code("", io.Discard, err) != cli.ExitDrift || !strings.Contains(err.Error(), "pinning debian/a.slim/linux/amd64/libtinfo6 6.5: the lock has sha256 ") {
		t.Errorf("got %v", err)
	}
	c.wantPins(pinned)
}

// Debian's keyring refuses the key of the test.
func TestPackagesKey(t *testing.T) {
	c := newCheckout(t)
	c.Publish("trixie", libc6, bash, tinfo)
	err := Add(t.Context(), c.cliEnv(), Options{})
	if err == nil || !strings.Contains(err.Error(), "NO_PUBKEY") && !strings.Contains(err.Error(), "finding Debian's signing keys") {
		t.Errorf("got %v", err)
	}
	c.wantPins("")
}
