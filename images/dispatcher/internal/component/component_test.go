package component

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// place makes two folders: bin has programs, own has the dispatcher, links to
// it and programs. Names end in what is special about them: one in "!" may not
// be executed, one in "@" is a link to the dispatcher, one in "/" a folder.
func place(t *testing.T, bin, own string) Place {
	t.Helper()
	root := t.TempDir()
	p := Place{
		Path:    filepath.Join(root, "own", Word),
		Folders: []string{filepath.Join(root, "bin"), filepath.Join(root, "own")},
	}
	for i, names := range []string{bin, own + " " + Word} {
		if err := os.Mkdir(p.Folders[i], 0o755); err != nil {
			t.Fatal(err)
		}
		for _, name := range strings.Fields(names) {
			path := filepath.Join(p.Folders[i], strings.TrimRight(name, "!@/"))
			var err error
			switch name[len(name)-1] {
			case '@':
				err = os.Symlink(p.Path, path)
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
	if p.Self, err = os.Stat(p.Path); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestChoose(t *testing.T) {
	// A hyperkube of another kind is not what the dispatcher is called for.
	p := place(t, "odd hyperkube", "apiserver@ odder")
	for _, c := range []struct {
		line   string
		name   string
		rest   string
		called bool
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
		// Programs that no list knows are told by looking.
		{"/odd kubelet", "odd", "kubelet", true},
		{"/odder", "odder", "", true},
		{"/dispatcher kubelet --v=2", "kubelet", "--v=2", false},
		{"/dispatcher", "", "", false},
	} {
		name, rest, called := p.Choose(strings.Fields(c.line))
		if name != c.name || strings.Join(rest, " ") != c.rest || called != c.called {
			t.Errorf("Choose(%q) = %q, %q, %v; want %q, %q, %v", c.line, name, rest, called, c.name, c.rest, c.called)
		}
	}
	for _, args := range [][]string{nil, {""}} {
		if name, _, _ := p.Choose(args); name != "" {
			t.Errorf("Choose(%q) = %q; want none", args, name)
		}
	}
}

func TestFind(t *testing.T) {
	p := place(t,
		"kube-apiserver kubelet kubectl@ data! kube-proxy! scheduler folder/",
		"apiserver@ kubelet kubectl kube-proxy controller-manager@ cloud-controller-manager@")
	if err := os.Symlink("nowhere", filepath.Join(p.Folders[0], "dangling")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, want string // in folders 0 and 1; "absent", or part of another error
	}{
		{"kube-apiserver", "0/kube-apiserver"},
		{"apiserver", "0/kube-apiserver"},
		{"kubelet", "0/kubelet"},
		{"kubectl", "1/kubectl"},         // not the link to the dispatcher
		{"kube-proxy", "1/kube-proxy"},   // not the one that may not be executed
		{"proxy", "1/kube-proxy"},        //
		{"scheduler", "0/scheduler"},     // as it is, where there is none with the long name
		{"controller-manager", "absent"}, // the dispatcher alone
		{"cloud-controller-manager", "absent"},
		{"aggregator", "absent"},
		{"dangling", "absent"},
		{"nothing", "absent"},
		{"hyperkube", "absent"},
		{"", "absent"},
		{".", "absent"},
		{"..", "absent"},
		{"../bin/kubelet", "absent"},
		{"/bin/sh", "absent"},
		{"kube\x00let", "absent"},
		{"data", "mode is 0644"},
		{"folder", "is a folder"},
	} {
		got, err := p.Find(c.name)
		var absent *AbsentError
		switch {
		case err == nil:
			dir, base := filepath.Split(got)
			got = string('0'+rune(slices.Index(p.Folders, filepath.Clean(dir)))) + "/" + base
		case errors.As(err, &absent):
			got = "absent"
			if c.name != "" && !strings.Contains(err.Error(), filepath.Base(p.Folders[0])) {
				t.Errorf("Find(%q): %v; want the folders named", c.name, err)
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

// A second name of the same file is the dispatcher, too.
func TestFindNeverSelf(t *testing.T) {
	p := place(t, "", "")
	if err := os.Link(p.Path, filepath.Join(p.Folders[0], "kubelet")); err != nil {
		t.Fatal(err)
	}
	if got, err := p.Find("kubelet"); err == nil {
		t.Errorf("Find = %q; want an error", got)
	}
}

func TestAbsentErrorNamesTheLongName(t *testing.T) {
	p := place(t, "", "")
	_, err := p.Find("apiserver")
	if want := `"apiserver" (kube-apiserver)`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v; want %s in it", err, want)
	}
}

func TestList(t *testing.T) {
	p := place(t, "a-tool kubelet kubectl@ data! folder/", "kubelet kube-apiserver apiserver@")
	if got, want := p.Names(), "kube-apiserver, kubelet, a-tool"; got != want {
		t.Errorf("got %q; want %q", got, want)
	}
	p.Folders = p.Folders[:0]
	if got := p.Names(); got != "none" {
		t.Errorf("got %q; want none", got)
	}
	p.Folders = []string{filepath.Join(t.TempDir(), "missing")}
	if got := p.Names(); got != "none" {
		t.Errorf("got %q; want none", got)
	}
}

func TestListIsBounded(t *testing.T) {
	var names []string
	for i := range 100 {
		names = append(names, "tool-"+string(rune('a'+i/10))+string(rune('0'+i%10)))
	}
	got := place(t, strings.Join(names, " ")+" kubelet", "").Names()
	if !strings.HasPrefix(got, "kubelet, tool-a0, ") || !strings.HasSuffix(got, " and 61 more") {
		t.Errorf("got %q", got)
	}
}

func TestHere(t *testing.T) {
	p, err := Here("ignored")
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(p.Path)
	if err != nil || !os.SameFile(info, p.Self) {
		t.Errorf("%q is not this program: %v", p.Path, err)
	}
	if want := []string{bin, filepath.Dir(p.Path)}; !slices.Equal(p.Folders, want) {
		t.Errorf("folders %q; want %q", p.Folders, want)
	}
}

func TestFolders(t *testing.T) {
	for path, want := range map[string]string{
		"/hyperkube":                               "/usr/local/bin /",
		"/usr/local/bin/hyperkube":                 "/usr/local/bin",
		"/opt/k8s/.hyperkube/sets/2/hyperkube":     "/usr/local/bin /opt/k8s/.hyperkube/sets/2 /opt/k8s",
		"/opt/k8s/hyperkube/sets/2/hyperkube":      "/usr/local/bin /opt/k8s/hyperkube/sets/2",
		"/opt/k8s/.hyperkube/sets/2/bin/hyperkube": "/usr/local/bin /opt/k8s/.hyperkube/sets/2/bin",
	} {
		if got := strings.Join(folders(path), " "); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

func TestStartSaysWhy(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ name, text, want string }{
		{"other-machine", "\x7fELF nothing", "it is not a program for"},
		{"no-interpreter", "#!/no/such/interpreter\n", "interpreter or loader"},
	} {
		path := filepath.Join(dir, c.name)
		if err := os.WriteFile(path, []byte(c.text), 0o755); err != nil {
			t.Fatal(err)
		}
		err := Start(path, nil, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v; want %q and the path in it", err, c.want)
		}
	}
}
