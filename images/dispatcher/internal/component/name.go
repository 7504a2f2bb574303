package component

import (
	"path/filepath"
	"strings"
)

// Long returns the name of the program that a name stands for. The short names
// are those of the old hyperkube, which had all components in one binary.
func Long(name string) string {
	switch name {
	case "aggregator", "apiserver", "controller-manager", "proxy", "scheduler":
		return "kube-" + name
	}
	return name
}

// Known tells whether name is that of a Kubernetes program. A link with such a
// name means that program, whether it is there or not.
func Known(name string) bool {
	switch Long(name) {
	case "apiextensions-apiserver", "cloud-controller-manager", "kube-aggregator", "kube-apiserver",
		"kube-controller-manager", "kube-log-runner", "kube-proxy", "kube-scheduler",
		"kubeadm", "kubectl", "kubectl-convert", "kubelet", "mounter":
		return true
	}
	return false
}

// valid tells whether name is that of a file, and not a way to one.
func valid(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\x00")
}

// Choose splits a command line, the called name first, into the name of a
// component and its arguments. The name is "" if there is none; called tells
// that it is the called name, not the first argument.
func (p Place) Choose(args []string) (name string, rest []string, called bool) {
	if len(args) == 0 {
		return "", nil, false
	}
	base := filepath.Base(args[0])
	if Known(base) {
		return base, args[1:], true
	}
	if base != Word {
		// A link may also be named after a program that no list knows.
		if _, err := p.Find(base); err == nil {
			return base, args[1:], true
		}
	}
	if len(args) == 1 {
		return "", nil, false
	}
	return args[1], args[2:], false
}
