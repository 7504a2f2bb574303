package component

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// newFinder creates two directories: bin with programs, and own with the
// dispatcher and programs. A name that ends in "!" is not executable, in "@" a
// symlink to the dispatcher, in "/" a directory.
func newFinder(t *testing.T, bin, own string) Finder {
	t.Helper()
	root := t.TempDir()
	f := Finder{
		Path: filepath.Join(root, "own", Dispatcher),
		Dirs: []string{filepath.Join(root, "bin"), filepath.Join(root, "own")},
	}
	for i, names := range []string{bin, own + " " + Dispatcher} {
		if err := os.Mkdir(f.Dirs[i], 0o755); err != nil {
			t.Fatal(err)
		}
		for _, name := range strings.Fields(names) {
			path := filepath.Join(f.Dirs[i], strings.TrimRight(name, "!@/"))
			var err error
			switch name[len(name)-1] {
			case '@':
				err = os.Symlink(f.Path, path)
			case '/':
				err = os.Mkdir(path, 0o755)
			case '!':
				err = os.WriteFile(path, nil, 0o644)
			default:
				err = os.WriteFile(path, nil, 0o755)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	var err error
	if f.Self, err = os.Stat(f.Path); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSplitArgs(t *testing.T) {
	// Another program called hyperkube must not be executed.
	f := newFinder(t, "odd hyperkube", "apiserver@ odder")
	for _, c := range []struct {
		line      string
		name      string
		rest      string
		fromArgv0 bool
	}{
		{"/hyperkube", "", "", false},
		{"hyperkube kubelet --v=2", "kubelet", "--v=2", false},
		{"/hyperkube apiserver a b", "apiserver", "a b", false},
		{"/hyperkube install -to x", "install", "-to x", false},
		{"/hyperkube --help", "--help", "", false},
		{"/hyperkube hyperkube", "hyperkube", "", false},
		{"/apiserver", "apiserver", "", true},
		{"/apiserver install x", "apiserver", "install x", true},
		{"/apiserver --help", "apiserver", "--help", true},
		{"/controller-manager a", "controller-manager", "a", true},
		{"/proxy", "proxy", "", true},
		{"/scheduler", "scheduler", "", true},
		{"/kubectl get pods", "kubectl", "get pods", true},
		{"./kubelet", "kubelet", "", true},
		{"aggregator x", "aggregator", "x", true},
		{"/cloud-controller-manager kubelet", "cloud-controller-manager", "kubelet", true},
		{"/usr/local/bin/kube-apiserver", "kube-apiserver", "", true},
		{"/usr/local/bin/kube-controller-manager", "kube-controller-manager", "", true},
		{"/usr/local/bin/kube-proxy", "kube-proxy", "", true},
		{"/usr/local/bin/kube-scheduler", "kube-scheduler", "", true},
		{"/usr/local/bin/kubeadm init", "kubeadm", "init", true},
		// Programs that are not in the list of known ones.
		{"/odd kubelet", "odd", "kubelet", true},
		{"/odder", "odder", "", true},
		{"/dispatcher kubelet --v=2", "kubelet", "--v=2", false},
		{"/dispatcher", "", "", false},
	} {
		name, rest, fromArgv0 := f.SplitArgs(strings.Fields(c.line))
		if name != c.name || strings.Join(rest, " ") != c.rest || fromArgv0 != c.fromArgv0 {
			t.Errorf("SplitArgs(%q) = %q, %q, %v; want %q, %q, %v", c.line, name, rest, fromArgv0, c.name, c.rest, c.fromArgv0)
		}
	}
	for _, args := range [][]string{nil, {""}} {
		if name, _, _ := f.SplitArgs(args); name != "" {
			t.Errorf("SplitArgs(%q) = %q; want no name", args, name)
		}
	}
}

func TestFind(t *testing.T) {
	f := newFinder(t,
		"kube-apiserver kubelet kubectl@ data! kube-proxy! scheduler subdir/",
		"apiserver@ kubelet kubectl kube-proxy controller-manager@ cloud-controller-manager@")
	if err := os.Symlink("nowhere", filepath.Join(f.Dirs[0], "dangling")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, want string // DIR/NAME with the index of DIR, "not found", or part of another error
	}{
		{"kube-apiserver", "0/kube-apiserver"},
		{"apiserver", "0/kube-apiserver"},
		{"kubelet", "0/kubelet"},
		{"kubectl", "1/kubectl"},            // not the symlink to the dispatcher
		{"kube-proxy", "1/kube-proxy"},      // not the one that is not executable
		{"proxy", "1/kube-proxy"},           //
		{"scheduler", "0/scheduler"},        // there is none with the long name
		{"controller-manager", "not found"}, // only the dispatcher
		{"cloud-controller-manager", "not found"},
		{"aggregator", "not found"},
		{"dangling", "not found"},
		{"nothing", "not found"},
		{"hyperkube", "not found"},
		{"", "not found"},
		{".", "not found"},
		{"..", "not found"},
		{"../bin/kubelet", "not found"},
		{"/bin/sh", "not found"},
		{"kube\x00let", "not found"},
		{"data", "mode 0644"},
		{"subdir", "is a directory"},
	} {
		got, err := f.Find(c.name)
		var notFound *NotFoundError
		switch {
		case err == nil:
			dir, base := filepath.Split(got)
			got = string('0'+rune(slices.Index(f.Dirs, filepath.Clean(dir)))) + "/" + base
		case errors.As(err, &notFound):
			got = "not found"
			if c.name != "" && !strings.Contains(err.Error(), filepath.Base(f.Dirs[0])) {
				t.Errorf("Find(%q): %v; want the directories in it", c.name, err)
			}
		case strings.Contains(err.Error(), c.want):
			got = c.want
		default:
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("Find(%q) = %q; want %q", c.name, got, c.want)
		}
	}
}

// A hard link to the dispatcher is the dispatcher, too.
func TestFindNeverSelf(t *testing.T) {
	f := newFinder(t, "", "")
	if err := os.Link(f.Path, filepath.Join(f.Dirs[0], "kubelet")); err != nil {
		t.Fatal(err)
	}
	if got, err := f.Find("kubelet"); err == nil {
		t.Errorf("Find = %q; want an error", got)
	}
}

func TestNotFoundErrorHasLongName(t *testing.T) {
	f := newFinder(t, "", "")
	_, err := f.Find("apiserver")
	if want := `"apiserver" (kube-apiserver)`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v; want %s in it", err, want)
	}
}

func TestNames(t *testing.T) {
	f := newFinder(t, "a-tool kubelet kubectl@ data! subdir/", "kubelet kube-apiserver apiserver@")
	if got, want := f.Names(), "kube-apiserver, kubelet, a-tool"; got != want {
		t.Errorf("got %q; want %q", got, want)
	}
	f.Dirs = f.Dirs[:0]
	if got := f.Names(); got != "none" {
		t.Errorf("got %q; want none", got)
	}
	f.Dirs = []string{filepath.Join(t.TempDir(), "missing")}
	if got := f.Names(); got != "none" {
		t.Errorf("got %q; want none", got)
	}
}

func TestNamesLimit(t *testing.T) {
	var names []string
	for i := range 100 {
		names = append(names, "tool-"+string(rune('a'+i/10))+string(rune('0'+i%10)))
	}
	got := newFinder(t, strings.Join(names, " ")+" kubelet", "").Names()
	if !strings.HasPrefix(got, "kubelet, tool-a0, ") || !strings.HasSuffix(got, " and 61 more") {
		t.Errorf("got %q", got)
	}
}

func TestNewFinder(t *testing.T) {
	f, err := NewFinder("ignored")
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(f.Path)
	if err != nil || !os.SameFile(info, f.Self) {
		t.Errorf("path %q is not this program: %v", f.Path, err)
	}
	if want := []string{binDir, filepath.Dir(f.Path)}; !slices.Equal(f.Dirs, want) {
		t.Errorf("Dirs = %q; want %q", f.Dirs, want)
	}
}

func TestSearchDirs(t *testing.T) {
	for path, want := range map[string]string{
		"/hyperkube":                               "/usr/local/bin /",
		"/usr/local/bin/hyperkube":                 "/usr/local/bin",
		"/opt/k8s/.hyperkube/sets/2/hyperkube":     "/usr/local/bin /opt/k8s/.hyperkube/sets/2 /opt/k8s",
		"/opt/k8s/hyperkube/sets/2/hyperkube":      "/usr/local/bin /opt/k8s/hyperkube/sets/2",
		"/opt/k8s/.hyperkube/sets/2/bin/hyperkube": "/usr/local/bin /opt/k8s/.hyperkube/sets/2/bin",
	} {
		if got := strings.Join(searchDirs(path), " "); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

func TestExecError(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ name, text, want string }{
		{"other-machine", "\x7fELF nothing", "not a program for"},
		{"no-interpreter", "#!/no/such/interpreter\n", "interpreter or dynamic loader is missing"},
	} {
		path := filepath.Join(dir, c.name)
		if err := os.WriteFile(path, []byte(c.text), 0o755); err != nil {
			t.Fatal(err)
		}
		err := Exec(path, nil, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v; want %q and the path in it", err, c.want)
		}
	}
}
