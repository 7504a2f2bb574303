// Package toolset installs a set of programs into a directory of the host and
// replaces all of them atomically.
//
// A directory that is mounted into a container cannot be renamed, and a rename
// in it replaces one name at a time. Therefore each name is a symlink through one
// common symlink, and replacing that one replaces all programs:
//
//	kubelet            -> .hyperkube/current/kubelet
//	kubectl            -> .hyperkube/current/kubectl
//	.hyperkube/current -> sets/7
//	.hyperkube/sets/7/kubelet, .hyperkube/sets/7/kubectl
//	.hyperkube/lock
//
// A set is complete and synced to disk before current points to it. If the
// process is killed at any time, all names lead into the old set, or all into the
// new one. There is no journal and no recovery step. The next run removes sets
// that current does not point to.
//
// Adding and removing names is invisible to readers: for open(2), a symlink to a
// name that the current set does not have is a missing file. Therefore symlinks
// are created before the switch, and removed after it.
//
// A name that was another kind of file before, such as a regular file, is
// replaced by a symlink before the switch, in a way that never changes what it
// leads to. First a snapshot becomes current, a set that has exactly the files
// of the directory (regular files as hard links). Then each of these names is
// replaced by the symlink, which leads to the same file. Then comes the switch.
//
// The new set has the programs of the plan, and those of earlier runs whose
// symlink still exists: after the symlink is removed, the next run removes the
// program. Other files of the directory do not change.
package toolset
