package mirror

import (
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestReadSources(t *testing.T) {
	for name, test := range map[string]struct {
		file, text string
		want       []Source
	}{
		"one line": {
			"sources.list", "deb http://mirror.example/debian bookworm main contrib\n",
			[]Source{{URI: "http://mirror.example/debian", Suite: "bookworm", components: []string{"main", "contrib"}}},
		},
		"one-line options": {
			"sources.list.d/a.list",
			"deb [arch=amd64 signed-by=/etc/apt/keyrings/site.gpg] https://mirror.example/debian trixie main\n",
			[]Source{{URI: "https://mirror.example/debian", Suite: "trixie", components: []string{"main"}, SignedBy: "/etc/apt/keyrings/site.gpg"}},
		},
		"one-line comments and sources": {
			"sources.list", "# deb http://off.example/debian sid main\ndeb-src http://mirror.example/debian sid main\n  deb\thttp://mirror.example/debian\tsid main # tail\n",
			[]Source{{URI: "http://mirror.example/debian", Suite: "sid", components: []string{"main"}}},
		},
		"one-line syntax errors": {"sources.list", "deb http://mirror.example/debian\nhello\n", nil},
		"deb822": {
			"sources.list.d/debian.sources",
			"Types: deb deb-src\n# a comment\nURIs: http://a.example/debian\n http://b.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n\nTypes: deb\nURIs: http://a.example/debian-security\nSuites: bookworm-security\nComponents: main\n",
			[]Source{
				{URI: "http://a.example/debian", Suite: "bookworm", components: []string{"main"}, SignedBy: "/usr/share/keyrings/debian-archive-keyring.gpg"},
				{URI: "http://a.example/debian", Suite: "bookworm-updates", components: []string{"main"}, SignedBy: "/usr/share/keyrings/debian-archive-keyring.gpg"},
				{URI: "http://b.example/debian", Suite: "bookworm", components: []string{"main"}, SignedBy: "/usr/share/keyrings/debian-archive-keyring.gpg"},
				{URI: "http://b.example/debian", Suite: "bookworm-updates", components: []string{"main"}, SignedBy: "/usr/share/keyrings/debian-archive-keyring.gpg"},
				{URI: "http://a.example/debian-security", Suite: "bookworm-security", components: []string{"main"}},
			},
		},
		"deb822 disabled":    {"sources.list.d/a.sources", "Types: deb\nURIs: http://a.example/debian\nSuites: sid\nComponents: main\nEnabled: No\n", nil},
		"deb822 source code": {"sources.list.d/a.sources", "types: deb-src\nuris: http://a.example/debian\nsuites: sid\ncomponents: main\n", nil},
		"ignored file name":  {"sources.list.d/a b.list", "deb http://a.example/debian sid main\n", nil},
		"a disabled file":    {"sources.list.d/a.list.save", "deb http://a.example/debian sid main\n", nil},
		"deb822 key in a value": {
			"sources.list.d/a.sources",
			"Types: deb\nURIs: http://a.example/debian\nSuites: sid\nComponents: main\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n -----END PGP PUBLIC KEY BLOCK-----\n",
			[]Source{{
				URI: "http://a.example/debian", Suite: "sid", components: []string{"main"},
				SignedBy: "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n -----END PGP PUBLIC KEY BLOCK-----",
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readSources(fstest.MapFS{test.file: {Data: []byte(test.text)}})
			if err != nil {
				t.Fatal(err)
			}
			for i := range test.want {
				test.want[i].file = test.file
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

func TestReadSourcesWithoutFiles(t *testing.T) {
	got, err := readSources(fstest.MapFS{})
	if err != nil || len(got) != 0 {
		t.Errorf("got %v, %v; want nothing", got, err)
	}
}

const debianKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

func TestChooseMirror(t *testing.T) {
	main := []string{"main"}
	docker := Source{URI: "https://docker.example/linux/debian", Suite: "bookworm", components: []string{"stable"}}
	media := Source{URI: "https://media.example", Suite: "bookworm", components: []string{"main", "non-free"}}
	debian := Source{URI: "http://mirror.example/debian", Suite: "bookworm", components: main, SignedBy: debianKeyring}
	proxy := Source{URI: "http://nexus.example/repository/apt", Suite: "bookworm", components: main}
	copied := debian
	copied.URI = "http://other.example/debian"
	security := Source{URI: "http://mirror.example/debian-security", Suite: "bookworm-security", components: main}
	ubuntu := Source{URI: "http://archive.example/ubuntu", Suite: "noble", components: main}
	list := Source{URI: "mirror+file:///etc/apt/mirrors/debian.list", Suite: "trixie", components: main}
	cdrom := Source{URI: "cdrom:[Debian]/", Suite: "bookworm", components: main}
	for name, test := range map[string]struct {
		sources []Source
		want    Mirror
		err     string
	}{
		"Debian among others":     {[]Source{docker, media, security, debian}, Mirror{debian, security}, ""},
		"a proxy by another name": {[]Source{cdrom, docker, proxy}, Mirror{Archive: proxy}, ""},
		"a list of mirrors":       {[]Source{cdrom, list}, Mirror{Archive: list}, ""},
		"ambiguous":               {[]Source{proxy, media}, Mirror{}, `several repositories that may be one, ["http://nexus.example/repository/apt" "https://media.example"]`},
		"the first of equals":     {[]Source{debian, security, copied}, Mirror{debian, security}, ""},
		"none":                    {[]Source{ubuntu, cdrom}, Mirror{}, "has none"},
		"only security":           {[]Source{security}, Mirror{}, "has none"},
		"nothing at all":          {nil, Mirror{}, "HYPERKUBE_DEBIAN_MIRROR"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := chooseMirror(test.sources)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Fatalf("error %v, want one with %q", err, test.err)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, %v\nwant %+v", got, err, test.want)
			}
		})
	}
}

func TestStanza(t *testing.T) {
	debian := Source{URI: "http://a.example/debian", SignedBy: debianKeyring}
	site := Source{URI: "http://b.example/sec", SignedBy: "/etc/apt/keyrings/site.gpg"}
	for _, test := range []struct {
		source        Source
		keyring, want string
	}{
		{debian, "", "Types: deb\nURIs: http://a.example/debian\nSuites: sid x\nComponents: main\n\n"},
		{debian, "/k.gpg", "Types: deb\nURIs: http://a.example/debian\nSuites: sid x\nComponents: main\nSigned-By: /k.gpg\n\n"},
		{site, "/k.gpg", "Types: deb\nURIs: http://b.example/sec\nSuites: sid x\nComponents: main\nSigned-By: /etc/apt/keyrings/site.gpg\n\n"},
	} {
		if got := test.source.Stanza(test.keyring, "sid", "x"); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

func TestNetworkOptions(t *testing.T) {
	got := networkOptions(`APT::Architecture "amd64";
Acquire::http::Proxy "http://proxy.example:3128";
Acquire::http "";
Acquire::HTTPS::CaInfo "/etc/ssl/site.pem";
Acquire::Retries "3";
Acquire::cdrom::mount "/media/cdrom/";
DPkg::Post-Invoke:: "rm -rf /";
`)
	want := []string{
		`Acquire::http::Proxy "http://proxy.example:3128";`,
		`Acquire::HTTPS::CaInfo "/etc/ssl/site.pem";`,
		`Acquire::Retries "3";`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestMirrorOverride checks that an override replaces one mirror only, and keeps
// the signing key that apt has for its URI.
func TestMirrorOverride(t *testing.T) {
	apt := fstest.MapFS{"sources.list": {Data: []byte("deb [signed-by=/k.gpg] http://snap.example/debian bookworm main\n" +
		"deb http://mirror.example/debian bookworm main\ndeb http://mirror.example/debian-security bookworm-security main\n")}}
	ambiguous := fstest.MapFS{"sources.list": {Data: []byte("deb http://one.example/x/debian bookworm main\n" +
		"deb http://two.example/x/debian bookworm main\ndeb http://mirror.example/debian-security bookworm-security main\n")}}
	const archive, security = "HYPERKUBE_DEBIAN_MIRROR", "HYPERKUBE_DEBIAN_SECURITY_MIRROR"
	for name, test := range map[string]struct {
		env               map[string]string
		apt               fs.FS
		archive, security string
		signedBy          string
	}{
		"none":       {nil, apt, "http://snap.example/debian", "http://mirror.example/debian-security", "/k.gpg"},
		"archive":    {map[string]string{archive: "http://snap.example/debian/"}, apt, "http://snap.example/debian/", "http://mirror.example/debian-security", "/k.gpg"},
		"security":   {map[string]string{security: "http://s.example"}, apt, "http://snap.example/debian", "http://s.example", "/k.gpg"},
		"both":       {map[string]string{archive: "http://a.example", security: "http://s.example"}, apt, "http://a.example", "http://s.example", ""},
		"no sources": {map[string]string{archive: "http://a.example"}, fstest.MapFS{}, "http://a.example", "", ""},
		"ambiguous":  {map[string]string{archive: "http://a.example"}, ambiguous, "http://a.example", "http://mirror.example/debian-security", ""},
		"nothing":    {nil, fstest.MapFS{}, "", "", ""},
	} {
		m, err := find(func(name string) string { return test.env[name] }, test.apt, fstest.MapFS{})
		if (err != nil) != (test.archive == "") {
			t.Errorf("%s: %v", name, err)
		}
		if m.Archive.URI != test.archive || m.Security.URI != test.security || m.Archive.SignedBy != test.signedBy {
			t.Errorf("%s: got %+v", name, m)
		}
	}
}

// A password would be stored in the root.
func TestMirrorCredentials(t *testing.T) {
	for _, name := range []string{ArchiveEnv, SecurityEnv} {
		getenv := func(n string) string {
			if n == name {
				return "https://user:secret@mirror.example/debian"
			}
			return ""
		}
		_, err := find(getenv, fstest.MapFS{"sources.list": {Data: []byte("deb http://mirror.example/debian bookworm main\n")}}, fstest.MapFS{})
		if err == nil || !strings.Contains(err.Error(), name+"=\"https://REDACTED@mirror.example/debian\": want a URI without user and password") || strings.Contains(err.Error(), "secret") {
			t.Errorf("got %v", err)
		}
	}
}

// Sources of real systems.
const (
	ubuntuSources = `Types: deb
URIs: http://archive.ubuntu.com/ubuntu/
Suites: noble noble-updates noble-backports
Components: main universe restricted multiverse
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg

Types: deb
URIs: http://security.ubuntu.com/ubuntu/
Suites: noble-security
Components: main universe restricted multiverse
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg
`
	debianSources = `Types: deb
URIs: http://mirror.debian.org/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.debian.org/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`
	debianList = `deb http://mirror.debian.org/debian stable main contrib
deb-src http://mirror.debian.org/debian stable main
deb http://updates.debian.org/debian-security stable-security main
`
	chromeList    = "### THIS FILE IS AUTOMATICALLY CONFIGURED ###\ndeb [arch=amd64] https://dl.google.com/linux/chrome/deb/ stable main\n"
	chromeSources = "Types: deb\nURIs: https://dl.google.com/linux/chrome-stable/deb/\nSuites: stable\nComponents: main\nArchitectures: amd64\n"
	dockerList    = "deb [arch=amd64 signed-by=/etc/apt/keyrings/docker.asc] https://download.docker.com/linux/debian bookworm stable\n"
	gcloudList    = "deb https://packages.cloud.google.com/apt cloud-sdk-bookworm main\n"
	vendorList    = "deb [signed-by=/k.gpg] https://apt.vendor.example bookworm main\n"
	productList   = "deb [signed-by=/k.gpg] https://packages.vendor.example/product/debian bookworm main\n"
	yarnList      = "deb https://dl.yarnpkg.com/debian/ stable main\n"
	nexusList     = "deb https://nexus.example/repository/debian bookworm main\n"
)

func TestMirrorOfSystems(t *testing.T) {
	const deb, sec = "http://mirror.debian.org/debian", "http://mirror.debian.org/debian-security"
	release := func(origin string) string {
		return "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: " + origin + "\nLabel: x\nSuite: stable\nSHA256:\n 00 1 main/binary-amd64/Release\n"
	}
	for name, test := range map[string]struct {
		apt, lists        map[string]string
		archive, security string // "" for an error
	}{
		"Ubuntu":                              {map[string]string{"sources.list.d/ubuntu.sources": ubuntuSources}, nil, "", ""},
		"Ubuntu with Chrome":                  {map[string]string{"sources.list.d/ubuntu.sources": ubuntuSources, "sources.list.d/google-chrome.list": chromeList}, nil, "", ""},
		"Ubuntu with Chrome as deb822":        {map[string]string{"sources.list.d/ubuntu.sources": ubuntuSources, "sources.list.d/google-chrome.sources": chromeSources}, nil, "", ""},
		"Ubuntu with Docker of Debian":        {map[string]string{"sources.list.d/ubuntu.sources": ubuntuSources, "sources.list.d/docker.list": dockerList}, nil, "", ""},
		"Ubuntu with Yarn":                    {map[string]string{"sources.list.d/ubuntu.sources": ubuntuSources, "sources.list.d/yarn.list": yarnList}, nil, "", ""},
		"Debian":                              {map[string]string{"sources.list.d/debian.sources": debianSources}, nil, deb, sec},
		"Debian, stable":                      {map[string]string{"sources.list": debianList}, nil, deb, "http://updates.debian.org/debian-security"},
		"Debian with others before":           {map[string]string{"sources.list": chromeList + dockerList + gcloudList + vendorList + productList, "sources.list.d/debian.sources": debianSources}, nil, deb, sec},
		"Chrome before Debian":                {map[string]string{"sources.list": chromeList + debianList}, nil, deb, "http://updates.debian.org/debian-security"},
		"a mirror and a vendor":               {map[string]string{"sources.list": vendorList + nexusList}, nil, "https://nexus.example/repository/debian", ""},
		"a mirror like a product":             {map[string]string{"sources.list": nexusList + productList}, nil, "", ""},
		"a mirror like a product, by Release": {map[string]string{"sources.list": productList + nexusList}, map[string]string{"nexus.example_repository_debian_dists_bookworm_InRelease": release("Debian")}, "https://nexus.example/repository/debian", ""},
		"a product, by Release":               {map[string]string{"sources.list": productList + nexusList}, map[string]string{"packages.vendor.example_product_debian_dists_bookworm_Release": release("Vendor")}, "https://nexus.example/repository/debian", ""},
		"only a vendor, by Release":           {map[string]string{"sources.list": vendorList}, map[string]string{"apt.vendor.example_dists_bookworm_InRelease": release("Vendor")}, "", ""},
		"stable, by Release":                  {map[string]string{"sources.list": yarnList + "deb http://mirror.example/debian stable main\n"}, map[string]string{"mirror.example_debian_dists_stable_InRelease": release("Debian")}, "http://mirror.example/debian", ""},
		"Chrome, by Release":                  {map[string]string{"sources.list": chromeList}, map[string]string{"dl.google.com_linux_chrome_deb_dists_stable_InRelease": release("Google LLC")}, "", ""},
	} {
		files := func(texts map[string]string) fs.FS {
			m := fstest.MapFS{}
			for name, text := range texts {
				m[name] = &fstest.MapFile{Data: []byte(text)}
			}
			return m
		}
		m, err := find(func(string) string { return "" }, files(test.apt), files(test.lists))
		if m.Archive.URI != test.archive || m.Security.URI != test.security || (err != nil) != (test.archive == "") {
			t.Errorf("%s: got %q, %q, %v; want %q, %q", name, m.Archive.URI, m.Security.URI, err, test.archive, test.security)
		}
	}
}
