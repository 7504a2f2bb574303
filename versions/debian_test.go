package versions

import (
	"encoding/json"
	"strings"
	"testing"
)

const debianSection = `debian:
  suite: trixie
  exclude: [/usr/share/man/**, /usr/share/doc/**]
  include: [/usr/share/doc/*/copyright]
  sets:
    slim:
      extends: proxy
      packages: [bash]
      owners: {/usr/bin/x: bash}
    proxy:
      packages: [libc6, iptables]
      files:
        /etc/ssl/certs/ca.crt: {from: /usr/share/ca-certificates/*.crt, content: "own\n"}
        /etc/passwd: {content: "root:x:0:0:root:/root:/bin/bash\n", mode: "0600"}
      directories: {/tmp: "1777", /run: "0755", /var/lib/nfs/sm: {mode: "0700", owner: "101:65534"}}
      symlinks: {/var/run: /run}
      alternatives:
        - name: iptables
          link: /usr/sbin/iptables
          slaves: {iptables-save: /usr/sbin/iptables-save}
          choices:
            - {path: /usr/sbin/iptables-nft, priority: 20, slaves: {iptables-save: /usr/sbin/iptables-nft-save}}
          choose: /usr/sbin/iptables-nft
    storage:
      extends: slim
      packages: [git]
      optional: true
`

// withDebian is a manifest with a flavor on the set slim.
var withDebian = strings.NewReplacer(
	"flavors:\n", debianSection+"flavors:\n",
	good[strings.Index(good, "    base:"):strings.Index(good, "  rke:")], "    packages: slim\n",
	"/bin/kubelet: ../kubelet", "/usr/bin/kubelet: ../kubelet",
	"[amd64, arm64]", "[amd64]", "  - v1.28.7\n", "", "    versions: \">= 1.19.0\"\n    arch", "    contentTag: true\n    versions: \">= 1.19.0\"\n    arch",
).Replace(good)

const packagesLock = `
  ],
  "packages": [
    {"set":"proxy","platform":"linux/amd64","name":"iptables","version":"1.8.11-2","architecture":"amd64","archive":"debian","path":"pool/main/i/iptables/iptables_1.8.11-2_amd64.deb","size":5,"sha256":"` + hashA + `"},
    {"set":"proxy","platform":"linux/amd64","name":"libc6","version":"2.41-12","architecture":"amd64","archive":"debian","path":"pool/main/g/glibc/libc6_2.41-12_amd64.deb","size":7,"sha256":"` + hashA + `"},
    {"set":"slim","platform":"linux/amd64","name":"bash","version":"1:5.2~rc1+b1","architecture":"all","archive":"debian-security","path":"pool/updates/main/b/bash/bash_5.2~rc1+b1_all.deb","size":9,"sha256":"` + hashB + `"}
  ],
  "snapshots": [
    {"suite":"trixie","archive":"debian","time":"20261128T000000Z"},
    {"suite":"trixie","archive":"debian-security","time":"20261127T000000Z"}
  ]
}
`

var lockWithPackages = strings.TrimSuffix(goodLock, "\n  ]\n}\n") + packagesLock

func TestParseDebian(t *testing.T) {
	m, err := ParseManifest("m.yaml", []byte(withDebian))
	if err != nil {
		t.Fatal(err)
	}
	if m.Flavors[0].Packages != "slim" || m.Debian.Suite != "trixie" || len(m.Debian.Exclude) != 2 || len(m.Debian.Include) != 1 {
		t.Errorf("debian %+v", m.Debian)
	}
	var names []string
	for _, s := range m.RequiredPackageSets() {
		names = append(names, s.Name)
	}
	if got := strings.Join(names, " "); got != "proxy slim" {
		t.Errorf("required sets %q, want those that are not optional, the lowest first", got)
	}
	m.Flavors[0].Packages = "storage"
	if n := len(m.RequiredPackageSets()); n != 3 {
		t.Errorf("got %d sets, want the optional one of a flavor as well", n)
	}
	proxy := m.Debian.Chain("storage")[0]
	if proxy.Name != "proxy" || len(proxy.Requires) != 2 {
		t.Fatalf("set %+v", proxy)
	}
	got, err := json.Marshal(proxy.PackageSet)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"name":"proxy","packages":null,` +
		`"files":[{"path":"/etc/passwd","content":"root:x:0:0:root:/root:/bin/bash\n","mode":384},{"path":"/etc/ssl/certs/ca.crt","from":"/usr/share/ca-certificates/*.crt","content":"own\n","mode":420}],` +
		`"directories":[{"path":"/run","mode":493},{"path":"/tmp","mode":1023},{"path":"/var/lib/nfs/sm","mode":448,"uid":101,"gid":65534}],"symlinks":[{"path":"/var/run","target":"/run"}],` +
		`"alternatives":[{"name":"iptables","link":"/usr/sbin/iptables","slaves":[{"name":"iptables-save","link":"/usr/sbin/iptables-save"}],` +
		`"choices":[{"path":"/usr/sbin/iptables-nft","priority":20,"slaves":{"iptables-save":"/usr/sbin/iptables-nft-save"}}],"choose":"/usr/sbin/iptables-nft"}]}`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Each case replaces one part of the manifest, and has the expected error.
func TestParseDebianErrors(t *testing.T) {
	tests := map[string]struct{ old, new, want string }{
		"no suite":                 {"  suite: trixie\n", "", `m.yaml:22: debian.suite: missing`},
		"moving suite":             {"suite: trixie", "suite: oldstable", `m.yaml:22: debian.suite: "oldstable" is another release from time to time`},
		"suite":                    {"suite: trixie", "suite: trixie/updates", `debian.suite: "trixie/updates" is not the codename`},
		"relative pattern":         {"[/usr/share/doc/*/copyright]", "[usr/*]", `debian.include[0]: "usr/*" is not a pattern of paths`},
		"unknown key":              {"owners: {", "owner: {", `debian.sets.slim.owner: unknown key`},
		"package name":             {"[libc6, iptables]", "[libc6, ip_tables]", `debian.sets.proxy.packages[1]: "ip_tables" is not the name of a Debian package`},
		"no packages":              {"      packages: [bash]\n", "", `m.yaml:27: debian.sets.slim.packages: missing`},
		"duplicate package":        {"[bash]", "[bash, libc6]", `m.yaml:26: debian.sets.slim: duplicate package libc6, also of set "proxy"`},
		"extends unknown":          {"extends: proxy", "extends: prox", `m.yaml:26: debian.sets.slim.extends: "prox" is not a set of debian.sets`},
		"extends itself":           {"    proxy:\n", "    proxy:\n      extends: storage\n", `debian.sets.proxy.extends: "storage" extends "proxy" itself`},
		"unknown set of a flavor":  {"packages: slim", "packages: slime", `flavors.hyperkube.packages: unknown set "slime" of debian.sets`},
		"owner of a directory":     {`"101:65534"`, `"101:65536"`, `debian.sets.proxy.directories./var/lib/nfs/sm.owner: "101:65536" is not an owner`},
		"owner without a group":    {`"101:65534"`, `"101"`, `directories./var/lib/nfs/sm.owner: "101" is not an owner`},
		"directory without a mode": {`mode: "0700", owner`, `owner`, `debian.sets.proxy.directories./var/lib/nfs/sm.mode: missing`},
		"neither from nor content": {"{from: /usr/share/ca-certificates/*.crt, content: \"own\\n\"}", "{mode: \"0644\"}", `debian.sets.proxy.files./etc/ssl/certs/ca.crt: want from, content or both`},
		"control character":        {`/bin/bash\n"`, `/bin/bash\0"`, `files./etc/passwd.content: "root:x:0:0:root:/root:/bin/bash\x00" has characters outside printable ASCII`},
		"mode of a directory":      {`/tmp: "1777"`, `/tmp: "177"`, `directories./tmp: "177" is not a mode`},
		"path of a directory":      {`/tmp: "1777"`, `tmp: "1777"`, `directories.tmp: "tmp" is relative`},
		"duplicate path":           {"/run: \"0755\"", "/var/run: \"0755\"", `debian.sets.proxy: duplicate path /var/run, also of set "proxy"`},
		"path of a set below":      {"owners: {", "directories: {/run: \"0755\"}\n      owners: {", `debian.sets.slim: duplicate path /run, also of set "proxy"`},
		"choose":                   {"choose: /usr/sbin/iptables-nft", "choose: /usr/sbin/iptables", `alternatives[0].choose: "/usr/sbin/iptables" is not the path of a choice`},
		"unknown slave":            {"slaves: {iptables-save: /usr/sbin/iptables-nft-save}", "slaves: {save: /usr/sbin/iptables-nft-save}", `alternatives[0].choices[0].slaves.save: "iptables" has no such slave`},
		"priority":                 {"priority: 20", "priority: high", `choices[0].priority: want a number, got the string "high"`},
		"owner":                    {"{/usr/bin/x: bash}", "{/usr/bin/x: Bash}", `owners./usr/bin/x: "Bash" is not the name of a Debian package`},
		"file below a symlink":     {"path: /kubelet, source: kubernetes", "path: /bin/kubelet, source: kubernetes", `flavors.hyperkube.files[1].path: "/bin/kubelet" is below a symlink of the packages. Fix: "/usr/bin/kubelet"`},
		"reserved source":          {"  programs:\n", "  debian:\n", `sources.debian: is reserved`},
		"base and packages":        {"    packages: slim\n", good[strings.Index(good, "    base:"):strings.Index(good, "  rke:")] + "    packages: slim\n", `flavors.hyperkube.packages: want either packages or base`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(withDebian, test.old) {
				t.Fatalf("not in the manifest: %q", test.old)
			}
			_, err := ParseManifest("m.yaml", []byte(strings.Replace(withDebian, test.old, test.new, 1)))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got\n%v\nwant\n%s", err, test.want)
			}
		})
	}
}

func TestParseLockPackages(t *testing.T) {
	l, err := ParseLock("l.json", []byte(lockWithPackages))
	if err != nil {
		t.Fatal(err)
	}
	if got := l.Format(); string(got) != lockWithPackages {
		t.Errorf("formatted:\n%s", got)
	}
	pin, ok := l.Package("debian/slim/linux/amd64/bash")
	if !ok || pin.Version != "1:5.2~rc1+b1" || pin.Size != 9 {
		t.Errorf("pin %+v", pin)
	}
	if file := l.PackageFile(pin); file.String() != pin.Key() || !IsPackageKey(pin.Key()) || file.Size != 9 || file.SHA256 != pin.SHA256 || file.URL != l.SnapshotURL(pin) {
		t.Errorf("file %+v", file)
	}
	const want = "https://snapshot.debian.org/archive/debian-security/20261127T000000Z/pool/updates/main/b/bash/bash_5.2~rc1+b1_all.deb"
	if got := l.SnapshotURL(pin); got != want {
		t.Errorf("URL %q, want %q", got, want)
	}
}

func TestParseLockPackagesErrors(t *testing.T) {
	tests := map[string]struct{ old, new, want string }{
		"unknown key":         {`"name":"bash"`, `"nome":"bash"`, `l.json:11: packages[2].nome: unknown key`},
		"name":                {`"name":"bash"`, `"name":"ba/sh"`, `packages[2].name: "ba/sh" is not the name of a Debian package`},
		"version":             {`"1:5.2~rc1+b1"`, `"5 2"`, `packages[2].version: "5 2" is not the version of a Debian package`},
		"other architecture":  {`"architecture":"all"`, `"architecture":"arm64"`, `packages[2].architecture: "arm64" is not an architecture of linux/amd64: want amd64 or all`},
		"archive":             {`"archive":"debian-security","path"`, `"archive":"ports","path"`, `packages[2].archive: "ports" is not an archive`},
		"path with ..":        {"pool/updates/main", "pool/../main", `packages[2].path: "pool/../main/b/bash/bash_5.2~rc1+b1_all.deb" is not the path of a .deb`},
		"absolute path":       {"pool/updates/main", "/pool/main", `packages[2].path: "/pool/main/b/bash`},
		"no size":             {`"size":9,`, ``, `packages[2].size: want the size in bytes, got 0`},
		"no sha256":           {`,"sha256":"` + hashB + "\"}\n  ],\n  \"snap", "}\n  ],\n  \"snap", `packages[2].sha256: "" is not a sha256`},
		"duplicate":           {`"name":"libc6"`, `"name":"iptables"`, `l.json:10: packages[1].name: duplicate pin debian/proxy/linux/amd64/iptables`},
		"time":                {"20261127T000000Z", "2026-11-27", `l.json:15: snapshots[1].time: "2026-11-27" is not the time of a snapshot`},
		"no snapshot":         {",\n    {\"suite\":\"trixie\",\"archive\":\"debian-security\",\"time\":\"20261127T000000Z\"}", "", `package debian/slim/linux/amd64/bash: the lock has no snapshot of the archive "debian-security"`},
		"duplicate snapshot":  {`"archive":"debian-security","time"`, `"archive":"debian","time"`, `snapshots[1].archive: duplicate snapshot of "debian"`},
		"snapshot of a suite": {`{"suite":"trixie","archive":"debian-security"`, `{"suite":"forky","archive":"debian-security"`, `snapshots[1].suite: "trixie" and "forky": want one suite`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(lockWithPackages, test.old) {
				t.Fatalf("not in the lock: %q", test.old)
			}
			_, err := ParseLock("l.json", []byte(strings.Replace(lockWithPackages, test.old, test.new, 1)))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got\n%v\nwant\n%s", err, test.want)
			}
		})
	}
}

func resolvePackages(t *testing.T, manifest, lock string) (*Catalog, error) {
	t.Helper()
	m, err := ParseManifest("m.yaml", []byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	l, err := ParseLock("l.json", []byte(lock))
	if err != nil {
		t.Fatal(err)
	}
	return Resolve(m, l)
}

// The layers of the packages are below those of the files, the lowest set first.
func TestResolvePackages(t *testing.T) {
	c, err := resolvePackages(t, withDebian, lockWithPackages)
	if err != nil {
		t.Fatal(err)
	}
	layers := c.Images[0].Builds[0].Layers
	var labels []string
	for _, l := range layers {
		labels = append(labels, strings.TrimPrefix(l.Label(), "//images/layers"))
	}
	const want = ":debian_proxy_linux_amd64_zstd :debian_slim_linux_amd64_zstd :sleep_linux_amd64_mode_0555_zstd /v1_24:kubelet_v1_24_10_linux_amd64_zstd :symlinks_hyperkube"
	if got := strings.Join(labels, " "); got != want {
		t.Errorf("layers %s\nwant %s", got, want)
	}
	slim := layers[1].Packages
	if len(layers[0].Packages.Sets) != 1 || len(slim.Sets) != 2 || slim.Name() != "slim" || len(slim.Pins()) != 3 || slim.Sets[1].Packages[0].Name != "bash" {
		t.Errorf("slim %+v", slim)
	}
	if _, err := json.Marshal(slim); err != nil {
		t.Error(err)
	}
}

func TestResolvePackagesErrors(t *testing.T) {
	for name, test := range map[string]struct{ manifest, lock, want string }{
		"no packages": {withDebian, goodLock, `flavor "hyperkube": package debian/slim/linux/amd64/bash of trixie is not pinned in versions/lock.json. Fix: go run ./tools/hk pin`},
		"new package": {strings.Replace(withDebian, "[bash]", "[bash, jq]", 1), lockWithPackages, `package debian/slim/linux/amd64/jq of trixie is not pinned`},
		"suite":       {strings.Replace(withDebian, "trixie", "forky", 1), lockWithPackages, `package debian/proxy/linux/amd64/libc6 of forky is not pinned`},
	} {
		if _, err := resolvePackages(t, test.manifest, test.lock); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
}

// Everything that determines a layer is in the inputs and in the content tag of the
// image; where a package comes from is not.
func TestPackageInputs(t *testing.T) {
	hashes := func(manifest, lock string) (string, string) {
		t.Helper()
		c, err := resolvePackages(t, manifest, lock)
		if err != nil {
			t.Fatal(err)
		}
		return c.Images[0].InputHash().String(), c.Images[0].ContentTag
	}
	inputs, tag := hashes(withDebian, lockWithPackages)
	for old, new := range map[string]string{
		"/usr/share/man/**": "/usr/share/info/**", "[/usr/share/doc/*/copyright]": "[/usr/share/doc/*/*]",
		"/root:/bin/bash": "/:/bin/bash", `"1777"`: `"0777"`, "/var/run: /run": "/var/run: ../run", "priority: 20": "priority: 30",
		"{/usr/bin/x: bash}": "{/usr/bin/y: bash}",
	} {
		changed := strings.Replace(withDebian, old, new, 1)
		if i, c := hashes(changed, lockWithPackages); changed == withDebian || i == inputs || c == tag {
			t.Errorf("%q changes neither inputs nor content tag", new)
		}
	}
	if i, c := hashes(withDebian, strings.Replace(lockWithPackages, hashB+"\"}\n  ],\n  \"snap", hashA+"\"}\n  ],\n  \"snap", 1)); i == inputs || c == tag {
		t.Error("another package has the same inputs or content tag")
	}
	if i, c := hashes(withDebian, strings.NewReplacer("T000000Z", "T010000Z", "pool/updates/main", "pool/main").Replace(lockWithPackages)); i != inputs || c != tag {
		t.Error("another path of a package has other inputs or another content tag")
	}
}
