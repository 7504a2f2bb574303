package versions

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	hashA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	hashB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

const goodLock = `{
  "schema": 1,
  "files": [
    {"source":"kubernetes","version":"v1.24.10","platform":"linux/amd64","file":"kubelet","url":"https://example.com/a","sha256":"` + hashA + `","size":7},
    {"source":"patched","version":"v1.24.10","platform":"linux/amd64","file":"kubelet","url":"https://example.com/a.tar.gz","sha256":"` + hashB + `","archive":"` + hashA + `","member":"bin/kubelet"},
    {"source":"programs","platform":"linux/amd64","file":"sleep","sha256":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","size":1}
  ]
}
`

func TestParseLock(t *testing.T) {
	l, err := ParseLock("l.json", []byte(goodLock))
	if err != nil || len(l.Warnings()) != 0 {
		t.Fatal(err)
	}
	if got := l.Format(); string(got) != goodLock {
		t.Errorf("formatted:\n%s", got)
	}
	key := FileKey{Source: "programs", Platform: Platform{"linux", "amd64"}, File: "sleep"}
	if pin, ok := l.Pin(key); !ok || pin.Size != 1 {
		t.Errorf("sleep: %+v, %v", pin, ok)
	}
	d, _ := ParseDigest(hashB)
	if found := l.Find(d); len(found) != 1 || found[0].Member != "bin/kubelet" {
		t.Errorf("found %+v", found)
	}
}

func TestParseLockErrors(t *testing.T) {
	tests := map[string]struct{ old, new, want string }{
		"schema":           {`"schema": 1`, `"schema": 2`, `"l.json:2": unsupported schema: want 1`},
		"no files":         {goodLock, `{"schema": 1}`, `missing key: want schema and files`},
		"unknown key":      {`"size":7`, `"sice":7`, `l.json:4: files[0].sice: unknown key`},
		"duplicate key":    {`"size":7`, `"sha256":"` + hashB + `"`, `duplicate key "sha256"`},
		"unknown top key":  {`"schema": 1`, `"schema": 1, "x": 2`, `unknown key "x"`},
		"short hash":       {hashA + `","size"`, hashA[1:] + `","size"`, `l.json:4: files[0].sha256: "` + hashA[1:] + `" is not a sha256: want 64 lower-case hexadecimal digits, got 63 characters`},
		"upper-case hash":  {hashA + `","size"`, strings.ToUpper(hashA) + `","size"`, `files[0].sha256`},
		"no hash":          {`"sha256":"` + hashA + `",`, ``, `files[0].sha256: "" is not a sha256`},
		"platform":         {`linux/amd64","file":"kubelet","url":"https://example.com/a",`, `linux/mips","file":"kubelet","url":"https://example.com/a",`, `files[0].platform: "linux/mips" is not a supported platform`},
		"version":          {`"v1.24.10","platform":"linux/amd64","file":"kubelet","url":"https://example.com/a",`, `"1.24","platform":"linux/amd64","file":"kubelet","url":"https://example.com/a",`, `files[0].version: "1.24" is not a stable version`},
		"http":             {`https://example.com/a"`, `http://example.com/a"`, `files[0].url: "http://example.com/a" does not begin with https://`},
		"negative size":    {`"size":7`, `"size":-7`, `files[0].size: -7 is negative`},
		"size as string":   {`"size":7`, `"size":"7"`, `files[0].size: want an integer`},
		"fraction":         {`"size":7`, `"size":7.5`, `files[0].size: want an integer`},
		"null":             {`"size":7`, `"size":null`, `files[0].size: want an integer`},
		"null version":     {`"version":"v1.24.10","platform":"linux/amd64","file":"kubelet","url":"https://example.com/a",`, `"version":null,"platform":"linux/amd64","file":"kubelet","url":"https://example.com/a",`, `files[0].version: want a non-empty string`},
		"pinned twice":     {`"source":"patched"`, `"source":"kubernetes"`, `l.json:5: files[1].file: duplicate pin kubernetes/v1.24.10/linux/amd64/kubelet`},
		"climbing member":  {`bin/kubelet`, `../kubelet`, `files[1].member`},
		"member alone":     {`"archive":"` + hashA + `",`, ``, `files[1].archive: "" is not a sha256`},
		"file with a path": {`"file":"sleep"`, `"file":"../sleep"`, `files[2].file: "../sleep" is not a name`},
		"truncated":        {"  ]\n}\n", "", `"l.json:6": unexpected EOF`},
		"trailing":         {"  ]\n}\n", "  ]\n}\n{}", `trailing data`},
		"no JSON":          {goodLock, "<html>", `invalid character '<'`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(goodLock, test.old) {
				t.Fatalf("not in the good lock: %q", test.old)
			}
			l, err := ParseLock("l.json", []byte(strings.Replace(goodLock, test.old, test.new, 1)))
			if err == nil || l != nil {
				t.Fatalf("no error, parsed %v", l)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("got\n%v\nwant\n%s", err, test.want)
			}
		})
	}
}

// All errors are reported at once, also those before an unexpected EOF.
func TestParseLockReportsAll(t *testing.T) {
	bad := strings.NewReplacer(`"size":7`, `"sice":7`, `"file":"sleep"`, `"file":"/"`, hashB, "b", "  ]\n}\n", "").Replace(goodLock)
	_, err := ParseLock("l.json", []byte(bad))
	for _, want := range []string{"files[0].sice", "files[1].sha256", "files[2].file", "unexpected EOF"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("missing error %q:\n%v", want, err)
		}
	}
}

// The two mistakes found in lists of other projects: the hash of another version,
// and of another architecture.
func TestParseLockWarns(t *testing.T) {
	const line = `{"source":"kubernetes","version":"%v","platform":"linux/%a","file":"kubelet","sha256":"` + hashA + `"}`
	pin := func(v, a string) string { return strings.NewReplacer("%v", v, "%a", a).Replace(line) }
	for name, test := range map[string]struct {
		second string
		want   string
	}{
		"another version":      {pin("v1.27.12", "amd64"), "kubernetes/v1.27.12/linux/amd64/kubelet and kubernetes/v1.27.13/linux/amd64/kubelet have the same sha256"},
		"another architecture": {pin("v1.27.13", "arm64"), "kubernetes/v1.27.13/linux/amd64/kubelet and kubernetes/v1.27.13/linux/arm64/kubelet have the same sha256"},
	} {
		l, err := ParseLock("l.json", []byte(`{"schema":1,"files":[`+pin("v1.27.13", "amd64")+`,`+test.second+`]}`))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if warnings := l.Warnings(); len(warnings) != 1 || !strings.Contains(warnings[0], test.want) {
			t.Errorf("%s: %q", name, warnings)
		}
	}
}

// The fast parser reads what Format writes, and nothing that the other one rejects
// or reads differently.
func TestParseFormatted(t *testing.T) {
	raw, err := Embedded(LockFile)
	if err != nil {
		t.Fatal(err)
	}
	want, err := parseTokens("l.json", raw)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := parseFormatted("l.json", raw); !ok || !bytes.Equal(got.Format(), want.Format()) {
		t.Errorf("the lock of the repository: got %v", ok)
	}
	l, err := parseTokens("l.json", []byte(goodLock))
	if err != nil {
		t.Fatal(err)
	}
	good := string(l.Format())
	if got, ok := parseFormatted("l.json", []byte(good)); !ok || string(got.Format()) != good {
		t.Errorf("got %v", ok)
	}
	for _, change := range []struct{ old, new string }{
		{`"schema": 1`, `"schema": 2`},
		{"]", "], 1"},
		{"}\n  ]", "},\n  ]"},
		{"},\n", "}\n"},
		{"    {", "    {{"},
		{`"source":"`, `"source":"\n`},
		{`"source":"`, `"source":"ü`},
		{`"source":"`, `"source":"\u0061`},
		{`"source":`, `"sauce":`},
		{`"source":`, `"file":`},
		{`,"file":`, `, "file":`},
		{`"file":"`, `"file":"","x":"`},
		{`"platform":"linux/amd64",`, ""},
		{`"sha256":"` + hashA, `"sha256":"` + hashA[1:]},
		{`"size":7`, `"size":07`},
		{`"size":7`, `"size":-7`},
		{`"size":7`, `"size":7.0`},
		{`"size":7`, `"size":`},
		{`"size":7`, `"size":99999999999999999999`},
		{`"size":7`, `"size":7,`},
		{`https://`, `http://`},
		{"\n}\n", "\n}\n}"},
		{"\n}\n", ""},
	} {
		if !strings.Contains(good, change.old) {
			t.Fatalf("the lock has no %q", change.old)
		}
		for _, n := range []int{1, -1} {
			if _, ok := parseFormatted("l.json", []byte(strings.Replace(good, change.old, change.new, n))); ok {
				t.Errorf("%q for %q: accepted", change.new, change.old)
			}
		}
	}
}

func FuzzParseLock(f *testing.F) {
	f.Add([]byte(goodLock))
	f.Add([]byte(lockWithPackages))
	if l, err := parseTokens("l.json", []byte(goodLock)); err == nil {
		f.Add(l.Format())
	}
	f.Add([]byte(`{"schema":1,"files":[{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := parseTokens("l.json", data)
		if (l == nil) == (err == nil) {
			t.Fatalf("got %v and %v", l, err)
		}
		if fast, ok := parseFormatted("l.json", data); ok && (err != nil || !bytes.Equal(fast.Format(), l.Format())) {
			t.Errorf("the fast parser got %s, the other one %v", fast.Format(), err)
		}
		if err != nil {
			return
		}
		again, err := ParseLock("l.json", l.Format())
		if err != nil || !bytes.Equal(again.Format(), l.Format()) {
			t.Errorf("formatted lock: %v", err)
		}
	})
}

// Files of any size are refused before they are read.
func TestLoadBounds(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{ManifestFile, LockFile} {
		if err := os.MkdirAll(filepath.Join(root, "versions"), 0o755); err != nil {
			t.Fatal(err)
		}
		// A sparse file takes no space.
		f, err := os.Create(filepath.Join(root, name))
		if err := errors.Join(err, f.Truncate(100<<30), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	_, err := LoadFrom(os.DirFS(root))
	for _, want := range []string{`"versions/versions.yaml": want at most 4194304 bytes, got 107374182400`, `"versions/lock.json": want at most 67108864 bytes`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
