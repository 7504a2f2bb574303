// Package node makes nodes of a cluster on one machine. A node is a process in
// private mount, network, PID, UTS, IPC and cgroup namespaces, with a root
// directory of its own on top of a read-only one. It does not change the machine:
// its mounts, interfaces and packet filters are in its namespaces, and sysctls of
// the kernel that a kubelet sets are regular files. A node ends with the thread
// that started it, even if that is killed.
package node
