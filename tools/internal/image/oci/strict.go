package oci

import (
	"fmt"
	"slices"
	"strings"
)

// The fields that programs know of the documents of an image.
var (
	manifestFields = []string{"schemaVersion", "mediaType", "artifactType", "config", "layers", "subject", "annotations"}
	refFields      = []string{"mediaType", "artifactType", "digest", "size", "urls", "annotations", "data", "platform"}
	configFields   = []string{
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

// fields refuses a field by a name that only some programs take for it: those
// written in Go do not look at the case, and let the last one win.
func (v value) fields(known []string) error {
	for _, key := range v.keys {
		if slices.Contains(known, key) {
			continue
		}
		for _, name := range known {
			if strings.EqualFold(key, name) {
				return fmt.Errorf("the key %q is %q for some programs, and not for others", key, name)
			}
		}
	}
	return nil
}
