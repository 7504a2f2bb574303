package oci

import (
	"fmt"
	"slices"
	"strings"
)

// Fields of the documents of an image.
var (
	manifestFields   = []string{"schemaVersion", "mediaType", "artifactType", "config", "layers", "subject", "annotations"}
	descriptorFields = []string{"mediaType", "artifactType", "digest", "size", "urls", "annotations", "data", "platform"}
	configFields     = []string{
		"created", "author", "architecture", "variant", "os", "os.version", "os.features", "config", "rootfs", "history",
		"id", "parent", "comment", "container", "container_config", "docker_version",
	}
	rootFSFields  = []string{"type", "diff_ids"}
	runtimeFields = []string{
		"User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal", "StopTimeout", "ArgsEscaped",
		"Memory", "MemorySwap", "CpuShares", "Healthcheck", "OnBuild", "Shell", "Hostname", "Domainname", "Image", "MacAddress",
		"AttachStdin", "AttachStdout", "AttachStderr", "Tty", "OpenStdin", "StdinOnce", "NetworkDisabled",
	}
)

// checkFields rejects keys that differ from a known field only in case. Programs
// written in Go read such a key as the field, other programs ignore it.
func (v value) checkFields(known []string) error {
	for _, key := range v.keys {
		if slices.Contains(known, key) {
			continue
		}
		for _, name := range known {
			if strings.EqualFold(key, name) {
				return fmt.Errorf("ambiguous key %q: want %q", key, name)
			}
		}
	}
	return nil
}
