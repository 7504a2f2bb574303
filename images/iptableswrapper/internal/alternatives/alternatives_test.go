package alternatives

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// database is that of Debian's package, with the choice that images add.
const database = `auto
/usr/sbin/iptables
iptables-restore
/usr/sbin/iptables-restore
iptables-save
/usr/sbin/iptables-save

/usr/sbin/iptables-nft
20
/usr/sbin/iptables-nft-restore
/usr/sbin/iptables-nft-save
/usr/sbin/iptables-wrapper
100
/usr/sbin/iptables-wrapper
/usr/sbin/iptables-wrapper

`

func newRoot(t *testing.T, database string) string {
	root := t.TempDir()
	for name, content := range map[string]string{"var/lib/dpkg/alternatives/iptables": database, "etc/alternatives/README": ""} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestSet(t *testing.T) {
	root := newRoot(t, database)
	links := filepath.Join(root, "etc/alternatives")
	if err := os.Symlink("/usr/sbin/iptables-wrapper", filepath.Join(links, "iptables")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := Set(root, "iptables", "/usr/sbin/iptables-nft"); err != nil {
			t.Fatal(err)
		}
		for _, suffix := range []string{"", "-restore", "-save"} {
			if got, _ := os.Readlink(filepath.Join(links, "iptables"+suffix)); got != "/usr/sbin/iptables-nft"+suffix {
				t.Errorf("iptables%s points to %q", suffix, got)
			}
		}
		got, _ := os.ReadFile(filepath.Join(root, "var/lib/dpkg/alternatives/iptables"))
		if want := strings.Replace(database, "auto", "manual", 1); string(got) != want {
			t.Errorf("database is\n%s\nwant\n%s", got, want)
		}
	}
	if entries, _ := os.ReadDir(links); len(entries) != 4 {
		t.Errorf("%s has %v, want README and three links", links, entries)
	}
}

func TestSetFails(t *testing.T) {
	for name, test := range map[string]struct{ database, choice, want string }{
		"no choice": {database, "/usr/sbin/iptables-legacy", `no choice "/usr/sbin/iptables-legacy"`},
		"truncated": {database[:len(database)-30], "/usr/sbin/iptables-nft", "unexpected EOF"},
		"empty":     {"", "/usr/sbin/iptables-nft", "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			root := newRoot(t, test.database)
			if err := Set(root, "iptables", test.choice); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want %q", err, test.want)
			}
			if entries, _ := os.ReadDir(filepath.Join(root, "etc/alternatives")); len(entries) != 1 {
				t.Errorf("links were made: %v", entries)
			}
		})
	}
}
