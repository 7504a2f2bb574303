#!/bin/sh
# Runs the kubelet that kubeadm has configured, and starts it again when it ends.
while sleep 0.2; do
  [ -e /var/lib/kubelet/kubeadm-flags.env ] || continue
  [ -e /etc/kubernetes/kubelet.conf ] || [ -e /etc/kubernetes/bootstrap-kubelet.conf ] || continue
  # shellcheck source=/dev/null
  . /var/lib/kubelet/kubeadm-flags.env
  # shellcheck disable=SC2086 # several arguments
  kubelet --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf \
    --config=/var/lib/kubelet/config.yaml $KUBELET_KUBEADM_ARGS
done
