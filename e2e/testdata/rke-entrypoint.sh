#!/bin/bash
# Does what the entrypoint script of RKE does in the container of a component, with the
# same programs of the image: prepares the node, then executes its arguments. RKE
# mounts its script from a volume, so the image must have all that it calls.
set -euo pipefail
step() { echo "step: $*"; }

update-alternatives --set iptables /usr/sbin/iptables-wrapper
step "$(update-alternatives --query iptables | awk '$1 == "Value:" { print $2 }')"

# The name of the node, and the system of the host.
step "node $(hostname | cut -d. -f1)"
cp /host/usr/lib/os-release /usr/lib/os-release
step "$(grep ^ID= /usr/lib/os-release)"

# Directories and files that later steps expect.
mkdir -p /opt/cni/bin /etc/cni/net.d /.docker
touch /opt/cni/bin/loopback
ln -sfn /opt/cni/bin /etc/cni/bin
step "$(find /etc/cni/bin/ -type f)"
base64 -d <<<"$DOCKER_CONFIG" | tee /.docker/config.json >/dev/null
step "$(jq -r '.auths | keys[]' /.docker/config.json)"

step "ip_forward $(sysctl -n net.ipv4.ip_forward)"
step "$(curl --version | awk 'NR == 1 { print $1 }')"
step "$(modprobe --version | awk 'NR == 1 { print $1 }')"
if ! pgrep -x kubelet >/dev/null; then step "no kubelet"; fi
if command -v chcon >/dev/null; then chcon -t container_file_t /opt/cni/bin 2>/dev/null || true; fi

if [ "$1" = kubelet ]; then
    # Mounts of the host, the innermost first.
    for mount in $(tac /proc/mounts | awk '{ print $2 }' | grep '^/run/'); do
        umount "$mount"
        step "unmounted $mount"
    done
    mount --rbind /host/dev /dev
    step "$(find /dev -name null)"
fi
sleep 0.1
exec "$@"
