// Package spdx reads the files and their sha256 from SPDX documents in tag-value
// format, which upstream publishes for each release.
package spdx

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/versions"
)

// MaxDocument is the maximum size of a document in bytes.
const MaxDocument = 32 << 20

// Document is an SPDX document.
type Document struct {
	Name      string
	Namespace string
	Files     map[string]versions.Digest // by path, such as "bin/linux/amd64/kubelet"
}

// Parse parses a document. Files without a sha256 are left out; a path with two
// different ones is an error.
func Parse(data []byte) (Document, error) {
	doc := Document{Files: map[string]versions.Digest{}}
	if len(data) > MaxDocument {
		return doc, fmt.Errorf("parsing SPDX document: want at most %d bytes, got %d", MaxDocument, len(data))
	}
	if !bytes.HasPrefix(data, []byte("SPDXVersion: SPDX-2.")) {
		return doc, fmt.Errorf("parsing SPDX document: want a first line \"SPDXVersion: SPDX-2.…\", got %.40q", data)
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	file, inText := "", false
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSuffix(lines.Text(), "\r")
		if inText { // <text> spans lines, which are not tags
			inText = !strings.Contains(line, "</text>")
			continue
		}
		tag, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		inText = strings.HasPrefix(value, "<text>") && !strings.Contains(value, "</text>")
		switch tag {
		case "DocumentName":
			doc.Name = value
		case "DocumentNamespace":
			doc.Namespace = value
		case "FileName":
			file = strings.TrimPrefix(value, "./")
		case "PackageName", "SnippetSPDXID":
			file = ""
		case "FileChecksum":
			sum, ok := strings.CutPrefix(value, "SHA256:")
			if !ok || file == "" {
				continue
			}
			digest, err := versions.ParseDigest(strings.TrimSpace(sum))
			if err != nil {
				return doc, fmt.Errorf("parsing SPDX document: line %d: %w", n, err)
			}
			if old, ok := doc.Files[file]; ok && old != digest {
				return doc, fmt.Errorf("parsing SPDX document: line %d: %q has sha256 %s and %s", n, file, old, digest)
			}
			doc.Files[file] = digest
		}
	}
	if err := lines.Err(); err != nil {
		return doc, fmt.Errorf("parsing SPDX document: %w", err)
	}
	return doc, nil
}

// IsOf reports whether the document names itself one of a version: "Kubernetes Release
// v1.36.0", "https://sbom.k8s.io/v1.36.0/release".
func (d Document) IsOf(version versions.Version) bool {
	return slices.Contains(strings.Fields(d.Name), version.String()) ||
		slices.Contains(strings.Split(d.Namespace, "/"), version.String())
}
