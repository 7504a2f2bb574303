// Package clustertest tests the images in a real cluster of two nodes. Its test
// makes the nodes on this machine, in namespaces, with etcd, containerd, runc and a
// registry of Debian:
//
//   - node1 has a registry. Its control plane and kube-proxy are in the image
//     hypokube, set up by kubeadm, and its kubelet is installed from an image.
//   - node2 has no registry, and its images come from one saved archive. Its kubelet
//     and kube-proxy are in the image rke, started by a script as RKE does it.
//
// The test prints each step with its time, and the memory of the nodes after it.
//
// The test needs root, and the Debian packages in .ci/packages. Run it with
// .ci/test-e2e, or in the root of the repository:
//
//	go test -tags e2e -count 1 -v ./tools/clustertest
//
// The root directory of the nodes and the layouts of the images stay in the cache
// directory. The test changes nothing else on the machine, and a killed test leaves
// no process. The next one removes its files and cgroups.
//
// It has been run on a machine with version 1 of cgroups. The support for version 2
// has not been tried.
package clustertest
