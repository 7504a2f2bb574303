// Package folder changes programs in a folder of the host, all of them at once.
//
// A folder that is mounted into a container cannot be renamed, and a rename
// inside of it changes one name at a time. So names are links that lead through
// one other link, and that one is renamed over:
//
//	kubelet            -> .hyperkube/current/kubelet
//	kubectl            -> .hyperkube/current/kubectl
//	.hyperkube/current -> sets/7
//	.hyperkube/sets/7/kubelet, .hyperkube/sets/7/kubectl
//
// A set is complete, and on the disk, before current leads to it. Whoever kills
// this process at any moment leaves a folder whose names all lead into the old
// set, or all into the new one; there is no journal, and nothing needs to run
// to make it so. A folder in sets that current does not lead to is waste, and
// the next run removes it.
//
// Names come and go without being seen: a link whose name the current set does
// not have is to an open(2) what no link is, so links are made before the
// switch, and removed after it.
//
// A name that was something else before, a plain file for instance, becomes a
// link before the switch, in such a way that it always leads to the same bytes:
// first a set is made current that shows exactly what the folder shows, plain
// files being in it under a second name (a hard link); then each file's name is
// renamed over by the link that leads to that same file; then comes the switch.
//
// The new set has what the run names, and what earlier runs brought and still
// has its link: removing the link removes the program with the next run. All
// other files of the folder stay as they are.
package folder
