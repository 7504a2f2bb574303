// Package slsa writes in-toto statements with a SLSA v1 provenance predicate. A
// statement has no timestamp and no machine in it, so equal builds have equal
// statements.
package slsa

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// MediaType is the media type of a statement, and PredicateType the type of its
// predicate.
const (
	MediaType     = "application/vnd.in-toto+json"
	PredicateType = "https://slsa.dev/provenance/v1"
)

// Repository is the URL of this repository, the prefix of build types and builders.
const Repository = "https://github.com/hyperkube/hyperkube"

// Resource describes an artifact. One of its fields is required. The fields of all
// types here are in the order of their JSON names.
type Resource struct {
	Annotations map[string]any    `json:"annotations,omitempty"`
	Digest      map[string]string `json:"digest,omitempty"` // hexadecimal digits by algorithm
	Name        string            `json:"name,omitempty"`
	URI         string            `json:"uri,omitempty"`
}

// BuildDefinition describes the inputs of a build.
type BuildDefinition struct {
	BuildType            string         `json:"buildType"`
	ExternalParameters   map[string]any `json:"externalParameters"`
	InternalParameters   map[string]any `json:"internalParameters,omitempty"`
	ResolvedDependencies []Resource     `json:"resolvedDependencies,omitempty"`
}

// Provenance describes a build. Builder identifies what runs builds.
type Provenance struct {
	BuildDefinition BuildDefinition
	Builder         string
	Byproducts      []Resource
}

type builder struct {
	ID string `json:"id"`
}

type runDetails struct {
	Builder    builder    `json:"builder"`
	Byproducts []Resource `json:"byproducts,omitempty"`
}

type predicate struct {
	BuildDefinition BuildDefinition `json:"buildDefinition"`
	RunDetails      runDetails      `json:"runDetails"`
}

type statement struct {
	Type          string     `json:"_type"`
	Predicate     predicate  `json:"predicate"`
	PredicateType string     `json:"predicateType"`
	Subject       []Resource `json:"subject"`
}

// Marshal returns the statement that the subjects were built so, on one line.
func (p Provenance) Marshal(subjects ...Resource) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(statement{
		Type:          "https://in-toto.io/Statement/v1",
		Predicate:     predicate{p.BuildDefinition, runDetails{builder{p.Builder}, p.Byproducts}},
		PredicateType: PredicateType,
		Subject:       subjects,
	}); err != nil {
		return nil, fmt.Errorf("writing provenance of %s: %w", subjects[0].Name, err)
	}
	return b.Bytes(), nil
}

// SHA256 returns the digest of a resource from hexadecimal digits.
func SHA256(value string) map[string]string { return map[string]string{"sha256": value} }
