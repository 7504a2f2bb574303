package apt

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/debian/apttest"
	"github.com/hyperkube/hyperkube/tools/internal/debian/mirror"
	"github.com/hyperkube/hyperkube/versions"
)

func config(a *apttest.Archives) Config {
	return Config{
		Mirror: mirror.Mirror{Archive: mirror.Source{URI: a.Archive}, Security: mirror.Source{URI: a.Security + "/"}},
		Suite:  "trixie", Keyring: a.Keyring,
	}
}

func update(t *testing.T, c Config) *Index {
	t.Helper()
	x, err := Update(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

func platform(t *testing.T, s string) versions.Platform {
	t.Helper()
	p, err := versions.ParsePlatform(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func list(pins []versions.PackagePin) string {
	var all []string
	for _, pin := range pins {
		all = append(all, pin.Name+"="+pin.Version+":"+pin.Architecture+"@"+pin.Archive)
	}
	return strings.Join(all, " ")
}

func TestSolve(t *testing.T) {
	a := apttest.New(t)
	a.Publish("trixie",
		apttest.Package{Name: "libc6", Version: "2.41-12", Fields: "Essential: yes\n"},
		apttest.Package{Name: "bash", Version: "1:5.2~rc1+b1", Fields: "Depends: libc6 (>= 2.40), base\nRecommends: completion\n"},
		apttest.Package{Name: "completion", Version: "1"},
		apttest.Package{Name: "base", Version: "2", Architecture: "all"},
		apttest.Package{Name: "only-arm", Version: "3", Architecture: "arm64"},
		apttest.Package{Name: "mawk", Version: "1", Fields: "Provides: awk\n"},
		apttest.Package{Name: "broken", Version: "1", Fields: "Depends: nowhere\n"},
	)
	a.Publish("trixie-updates", apttest.Package{Name: "base", Version: "3", Architecture: "all"})
	a.Publish("trixie-security", apttest.Package{Name: "libc6", Version: "2.41-12+deb13u1"})
	x := update(t, config(a))
	amd64, arm64 := platform(t, "linux/amd64"), platform(t, "linux/arm64")
	for name, test := range map[string]struct {
		platform  versions.Platform
		request   Request
		want, err string
	}{
		"newest versions": {amd64, Request{Names: []string{"bash"}}, "base=3:all@debian bash=1:5.2~rc1+b1:amd64@debian libc6=2.41-12+deb13u1:amd64@debian-security", ""},
		"other platform":  {arm64, Request{Names: []string{"libc6", "only-arm"}}, "libc6=2.41-12+deb13u1:arm64@debian-security only-arm=3:arm64@debian", ""},
		"fixed": {
			amd64,
			Request{Names: []string{"bash", "libc6"}, Fixed: []versions.PackagePin{{Name: "libc6", Version: "2.41-12"}}},
			"base=3:all@debian bash=1:5.2~rc1+b1:amd64@debian libc6=2.41-12:amd64@debian", "",
		},
		"preferred": {
			amd64,
			Request{Names: []string{"bash"}, Preferred: []versions.PackagePin{{Name: "base", Version: "2"}, {Name: "completion", Version: "1"}, {Name: "libc6", Version: "2.40"}}},
			"base=2:all@debian bash=1:5.2~rc1+b1:amd64@debian libc6=2.41-12+deb13u1:amd64@debian-security", "",
		},
		"fixed version is gone": {amd64, Request{Fixed: []versions.PackagePin{{Name: "libc6", Version: "2.40"}}}, "", "Version '2.40' for 'libc6' was not found"},
		"unknown":               {amd64, Request{Names: []string{"zsh"}}, "", "solving packages of trixie for linux/amd64: running apt-get install: exit status 100: E: Unable to locate package zsh"},
		"not for the platform":  {amd64, Request{Names: []string{"only-arm"}}, "", "only-arm"},
		"unsolvable":            {amd64, Request{Names: []string{"broken"}}, "", "broken : Depends: nowhere but it is not installable"},
		"virtual":               {amd64, Request{Names: []string{"awk"}}, "", `no package has the name "awk"`},
	} {
		t.Run(name, func(t *testing.T) {
			pins, err := x.Solve(t.Context(), test.platform, test.request)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("got %v, want %s", err, test.err)
				}
				return
			}
			if err != nil || list(pins) != test.want {
				t.Errorf("got %s, %v\nwant %s", list(pins), err, test.want)
			}
		})
	}
	pins, err := x.Solve(t.Context(), amd64, Request{Names: []string{"bash"}})
	if err != nil {
		t.Fatal(err)
	}
	bash := pins[1]
	if bash.Path != "pool/main/b/bash/bash_5.2~rc1+b1_amd64.deb" || bash.Size != 24 || len(bash.SHA256.String()) != 64 || bash.Platform != amd64 {
		t.Errorf("pin %+v", bash)
	}
}

func TestUpdateRefuses(t *testing.T) {
	bash := apttest.Package{Name: "bash", Version: "5"}
	for name, test := range map[string]struct {
		change func(*apttest.Archives, *Config)
		want   string
	}{
		"a changed index": {func(a *apttest.Archives, _ *Config) {
			a.Replace("debian/dists/trixie/main/binary-arm64/Packages", "Version: 5", "Version: 6")
		}, "Hash Sum mismatch"},
		"a changed signed file": {func(a *apttest.Archives, _ *Config) {
			a.Replace("debian/dists/trixie/InRelease", "Origin: Debian", "Origin: debian")
		}, "BADSIG"},
		"another key": {func(_ *apttest.Archives, c *Config) {
			keyring, err := Keyring()
			if err != nil {
				t.Skip(err)
			}
			c.Keyring = keyring
		}, "NO_PUBKEY"},
		"no signature":        {func(a *apttest.Archives, _ *Config) { a.Remove("debian-security/dists/trixie-security/InRelease") }, "trixie-security"},
		"no security archive": {func(_ *apttest.Archives, c *Config) { c.Mirror.Security.URI = "" }, "finding a mirror of trixie-security"},
		"no archive":          {func(_ *apttest.Archives, c *Config) { c.Mirror.Archive.URI += "/x" }, "does not have a Release file"},
	} {
		t.Run(name, func(t *testing.T) {
			a := apttest.New(t)
			a.Publish("trixie", bash)
			c := config(a)
			test.change(a, &c)
			x, err := Update(t.Context(), c)
			if x != nil {
				x.Close()
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestAvailable(t *testing.T) {
	a := apttest.New(t)
	bash := apttest.Package{Name: "bash", Version: "5"}
	a.Publish("trixie", bash, apttest.Package{Name: "zsh", Version: "1"})
	bash.Version = "1:6"
	a.Publish("trixie-security", bash)
	got, err := update(t, config(a)).Available(t.Context(), platform(t, "linux/arm64"), map[string]bool{"bash": true, "gone": true})
	want := map[string][]Available{"bash": {
		{"5", "pool/main/b/bash/bash_5_arm64.deb", "debian"},
		{"1:6", "pool/main/b/bash/bash_6_arm64.deb", "debian-security"},
	}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v\nwant %v", got, err, want)
	}
}

func TestSnapshots(t *testing.T) {
	a := apttest.New(t)
	a.Date = time.Date(2025, 8, 28, 20, 0, 0, 0, time.UTC)
	a.Publish("trixie-updates")
	x := update(t, config(a))
	got, err := x.Snapshots()
	want := []versions.Snapshot{{Suite: "trixie", Archive: "debian", Time: "20250829T080000Z"}, {Suite: "trixie", Archive: "debian-security", Time: "20250827T141032Z"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v\nwant %v", got, err, want)
	}
	x.config.Mirror.Archive.URI = "https://snapshot.debian.org/archive/debian/20260102T030405Z/"
	if got, err = x.Snapshots(); err != nil || got[0].Time != "20260102T030405Z" {
		t.Errorf("got %v, %v, want the time of the mirror", got, err)
	}
}

func TestOutdated(t *testing.T) {
	a := apttest.New(t)
	a.Valid = 7 * 24 * time.Hour
	a.Publish("trixie-security")
	x := update(t, config(a))
	for now, want := range map[time.Time]int{a.Date.Add(a.Valid - time.Hour): 0, a.Date.Add(a.Valid + time.Hour): 1} {
		if got, err := x.Outdated(now); err != nil || len(got) != want {
			t.Errorf("%v: got %v, %v", now, got, err)
		}
	}
}
