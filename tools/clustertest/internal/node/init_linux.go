package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// initName is the first argument of the process that becomes a node.
const initName = "clustertest-node"

// Init becomes a node if this process was started by [Start]. The main function of
// a program that calls Start must call Init first.
func Init() {
	if len(os.Args) != 4 || os.Args[0] != initName {
		return
	}
	// Start reads from this pipe until the node is complete.
	result := os.NewFile(3, "result")
	unix.CloseOnExec(3)
	err := become(os.Args[1], os.Args[2], os.Args[3])
	fmt.Fprint(result, err)
	os.Exit(1)
}

// become makes this process, which is in new namespaces, the init process of a
// node. It returns only on failure.
func become(name, lower, dir string) error {
	// A cgroup namespace belongs to a thread, until that executes a program.
	runtime.LockOSThread()
	all, err := hierarchies()
	if err != nil {
		return err
	}
	if err := join(all, name); err != nil {
		return err
	}
	if err := unix.Sethostname([]byte(name)); err != nil {
		return fmt.Errorf("setting the host name: %w", err)
	}
	r := root{dir: filepath.Join(dir, "root")}
	r.layer(lower, dir)
	r.kernel(filepath.Join(dir, "sysctl"))
	r.devices()
	r.cgroups(all)
	r.enter()
	if r.err != nil {
		return r.err
	}
	// The signal that [Start] has requested is a property of another thread.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("requesting a signal when the parent ends: %w", err)
	}
	init := []string{"/usr/bin/tini", "--", "sleep", "infinity"}
	return fmt.Errorf("executing %q: %w", init[0], unix.Exec(init[0], init, environment))
}

// environment is that of all programs of a node.
var environment = []string{
	"PATH=/opt/k8s:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8",
	"KUBECONFIG=/etc/kubernetes/admin.conf",
}

// root mounts the root directory of a node at dir. The first error ends it.
type root struct {
	dir string
	err error
}

// layer mounts an overlay on the directory lower. Directories that have overlays of
// their own, or many files, are outside of it.
func (r *root) layer(lower, dir string) {
	// Nothing must propagate to the machine.
	r.mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	upper, work := filepath.Join(dir, "upper"), filepath.Join(dir, "work")
	for _, d := range []string{upper, work, r.dir} {
		r.do("creating directory "+d, os.MkdirAll(d, 0o755))
	}
	r.mount("overlay", r.dir, "overlay", 0, fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work))
	for _, name := range []string{"containerd", "kubelet", "docker-registry", "etcd"} {
		data := filepath.Join(dir, "data", name)
		r.do("creating directory "+data, os.MkdirAll(data, 0o755))
		r.bind(data, "/var/lib/"+name)
	}
}

// sysctls are those settings of the whole machine that a privileged kubelet
// changes.
var sysctls = []string{
	"vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
	"kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes",
}

// kernel mounts /proc and /sys. Files that have the values of sysctls take the
// place of these in /proc/sys.
func (r *root) kernel(dir string) {
	r.mount("proc", r.dir+"/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	r.mount("sysfs", r.dir+"/sys", "sysfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	for _, name := range sysctls {
		file := filepath.Join(dir, name)
		value, err := os.ReadFile(filepath.Join("/proc/sys", name))
		err = errors.Join(err, os.MkdirAll(filepath.Dir(file), 0o755))
		r.do("copying a sysctl", errors.Join(err, os.WriteFile(file, value, 0o644)))
		r.bind(file, "/proc/sys/"+name)
	}
}

// devices mounts /dev with the devices that every container has, and temporary
// directories.
func (r *root) devices() {
	for dir, mode := range map[string]string{"/dev": "755", "/run": "755", "/tmp": "1777"} {
		r.mount("tmpfs", r.dir+dir, "tmpfs", unix.MS_NOSUID, "mode="+mode)
	}
	// A kubelet reads kmsg.
	for _, name := range []string{"full", "kmsg", "null", "random", "tty", "urandom", "zero"} {
		r.bind("/dev/"+name, "/dev/"+name)
	}
	for _, dir := range []string{"/dev/pts", "/dev/shm", "/dev/mqueue"} {
		r.do("creating directory "+dir, os.Mkdir(r.dir+dir, 0o755))
	}
	r.mount("devpts", r.dir+"/dev/pts", "devpts", unix.MS_NOSUID|unix.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620,gid=5")
	r.mount("tmpfs", r.dir+"/dev/shm", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "")
	r.mount("mqueue", r.dir+"/dev/mqueue", "mqueue", unix.MS_NOSUID|unix.MS_NODEV, "")
	for link, target := range map[string]string{"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"} {
		r.do("creating a symlink in /dev", os.Symlink(target, filepath.Join(r.dir, "dev", link)))
	}
}

// cgroups mounts every hierarchy where the machine has it. The cgroup namespace
// makes the cgroup of this process the root of each.
func (r *root) cgroups(all []hierarchy) {
	if len(all) > 1 {
		r.mount("tmpfs", r.dir+cgroupRoot, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "mode=755")
	}
	for _, h := range all {
		if h.mount != cgroupRoot {
			r.do("creating directory "+h.mount, os.MkdirAll(r.dir+h.mount, 0o755))
		}
		r.mount("cgroup", r.dir+h.mount, h.kind, unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, h.options)
	}
}

// enter makes the directory the root of this process. Its mounts are shared with
// those of containers in the node.
func (r *root) enter() {
	r.do("changing to the root", os.Chdir(r.dir))
	if r.err == nil {
		r.do("pivoting to the root", unix.PivotRoot(".", "."))
	}
	if r.err == nil {
		r.do("unmounting the old root", unix.Unmount(".", unix.MNT_DETACH))
	}
	r.do("changing to the root", os.Chdir("/"))
	r.mount("", "/", "", unix.MS_REC|unix.MS_SHARED, "")
}

func (r *root) mount(source, target, kind string, flags uintptr, options string) {
	if r.err == nil {
		r.do(fmt.Sprintf("mounting %s on %q with %q", kind, target, options), unix.Mount(source, target, kind, flags, options))
	}
}

// bind mounts a file or directory of the machine at a path of the node.
func (r *root) bind(source, path string) {
	target := r.dir + path
	info, err := os.Stat(source)
	if err == nil && !strings.HasPrefix(path, "/proc/") {
		if info.IsDir() {
			err = os.MkdirAll(target, 0o755)
		} else {
			err = os.WriteFile(target, nil, 0o644)
		}
	}
	r.do("creating a mount point", err)
	r.mount(source, target, "", unix.MS_BIND, "")
}

// do keeps the first error.
func (r *root) do(action string, err error) {
	if r.err == nil && err != nil {
		r.err = fmt.Errorf("%s: %w", action, err)
	}
}
