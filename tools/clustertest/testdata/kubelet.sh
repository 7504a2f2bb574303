#!/bin/sh
# Runs the kubelet that kubeadm has configured, and starts it again when it ends.
while sleep 0.2; do
  [ -e /var/lib/kubelet/kubeadm-flags.env ] && [ -e /etc/kubernetes/kubelet.conf -o -e /etc/kubernetes/bootstrap-kubelet.conf ] || continue
  . /var/lib/kubelet/kubeadm-flags.env
  kubelet --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf \
    --config=/var/lib/kubelet/config.yaml $KUBELET_KUBEADM_ARGS
done
