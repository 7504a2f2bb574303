package component

import (
	"path/filepath"
	"strings"
)

// longName returns the file name of the component that has a short name, and
// any other name unchanged. The short names are those of upstream's hyperkube,
// which had all components in one binary.
func longName(name string) string {
	switch name {
	case "aggregator", "apiserver", "controller-manager", "proxy", "scheduler":
		return "kube-" + name
	}
	return name
}

// isKubernetes reports whether name is that of a Kubernetes program. A symlink
// with such a name executes that program or fails: the first argument is never
// used as a name.
func isKubernetes(name string) bool {
	switch longName(name) {
	case "apiextensions-apiserver", "cloud-controller-manager", "kube-aggregator", "kube-apiserver",
		"kube-controller-manager", "kube-log-runner", "kube-proxy", "kube-scheduler",
		"kubeadm", "kubectl", "kubectl-convert", "kubelet", "mounter":
		return true
	}
	return false
}

// isFileName reports whether name is that of a file, without a directory.
func isFileName(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\x00")
}

// SplitArgs splits a command line, with argv[0], into the name of a component
// and its arguments. The name is "" if there is none. It comes from argv[0] if
// fromArgv0 is true, else from the first argument.
func (f Finder) SplitArgs(args []string) (name string, rest []string, fromArgv0 bool) {
	if len(args) == 0 {
		return "", nil, false
	}
	base := filepath.Base(args[0])
	if isKubernetes(base) {
		return base, args[1:], true
	}
	if base != Dispatcher {
		// A symlink may also have the name of a program that is not in that list.
		if _, err := f.Find(base); err == nil {
			return base, args[1:], true
		}
	}
	if len(args) == 1 {
		return "", nil, false
	}
	return args[1], args[2:], false
}
