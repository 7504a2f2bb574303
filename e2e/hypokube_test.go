//go:build e2e

package e2e

import (
	"debug/elf"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The components run in the image. It has no dpkg, and so no update-alternatives.
func TestHypokube(t *testing.T) {
	for _, platform := range platforms {
		t.Run(strings.ReplaceAll(platform, "/", "_"), func(t *testing.T) {
			c := unpack(t, "hypokube:"+version, platform)
			t.Run("libraries", func(t *testing.T) { testLibraries(t, c.root, platform) })
			t.Run("links", func(t *testing.T) { testLinks(t, c.root) })
			if platform != machine {
				return
			}
			t.Run("iptables", func(t *testing.T) { testIptablesWrapper(t, c) })
			t.Run("kubelet mounts", func(t *testing.T) {
				c.bash(t, "mount -t tmpfs tmpfs /mnt && findmnt -n -o FSTYPE /mnt && umount /mnt", "tmpfs")
			})
			t.Run("users", func(t *testing.T) {
				c.bash(t, "su -s /bin/sh nobody -c whoami; runuser -u nobody whoami", "nobody\nnobody")
				// mount.nfs starts rpc.statd, which needs rpcbind. Both drop their privileges.
				c.bash(t, `rpcbind -w
rpc.statd --no-notify
for i in {1..50}; do [[ $(rpcinfo -p) == *status* ]] && break; sleep 0.1; done
ps -C rpcbind,rpc.statd -o user= -o comm= | sort`, "_rpc     rpcbind\nstatd    rpc.statd")
			})
			t.Run("names", func(t *testing.T) {
				c.bash(t, "for n in /proxy /kubelet kube-proxy kubelet; do $n --version; done; sh -c 'kubectl version --client' | head -n 1; getent passwd nobody | cut -d: -f3",
					strings.Repeat("Kubernetes "+version+"\n", 4)+"Client Version: "+version+"\n65534")
			})
		})
	}
}

// testLibraries checks that the image has the interpreter and the libraries of each
// program and library in it.
//
// It also has those of the all-in-one programs of Kubernetes 1.10 to 1.16, by their
// published dependencies. These programs are neither downloaded nor executed here.
func testLibraries(t *testing.T, root, platform string) {
	arch := map[string]struct{ machine, interpreter, libraries string }{
		"linux/amd64": {"EM_X86_64", "/lib64/ld-linux-x86-64.so.2", "x86_64-linux-gnu"},
		"linux/arm64": {"EM_AARCH64", "/lib/ld-linux-aarch64.so.1", "aarch64-linux-gnu"},
	}[platform]
	has := func(dirs []string, library string) bool {
		for _, dir := range dirs {
			if _, err := os.Stat(filepath.Join(root, dir, library)); err == nil {
				return true
			}
		}
		return false
	}
	system := []string{"/usr/lib/" + arch.libraries, "/usr/lib"}
	for _, library := range []string{"libpthread.so.0", "libdl.so.2", "libc.so.6"} {
		if !has(system, library) {
			t.Errorf("the all-in-one programs need %s", library)
		}
	}
	if !has([]string{"/"}, arch.interpreter) {
		t.Errorf("the all-in-one programs need %s", arch.interpreter)
	}
	checked := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		f, err := elf.Open(path)
		if err != nil {
			return nil // not a program
		}
		defer f.Close()
		checked++
		name := strings.TrimPrefix(path, root)
		if f.Machine.String() != arch.machine {
			t.Errorf("%s is for %s, want %s", name, f.Machine, arch.machine)
		}
		if interp := f.Section(".interp"); interp != nil {
			if data, err := interp.Data(); err != nil || !has([]string{"/"}, strings.TrimRight(string(data), "\x00")) {
				t.Errorf("%s: no interpreter %q, %v", name, data, err)
			}
		}
		// A package may have private libraries beside each other.
		dirs := append([]string{filepath.Dir(name)}, system...)
		for _, tag := range []elf.DynTag{elf.DT_RUNPATH, elf.DT_RPATH} {
			paths, _ := f.DynString(tag)
			for _, p := range paths {
				dirs = append(dirs, strings.Split(strings.ReplaceAll(p, "$ORIGIN", filepath.Dir(name)), ":")...)
			}
		}
		libraries, err := f.ImportedLibraries()
		if err != nil {
			return err
		}
		for _, library := range libraries {
			if !has(dirs, library) {
				t.Errorf("%s: no library %s in %v", name, library, dirs)
			}
		}
		return nil
	})
	if err != nil || checked < 100 {
		t.Errorf("checked %d programs and libraries, %v", checked, err)
	}
}
