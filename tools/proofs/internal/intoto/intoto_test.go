// Package intoto tests the statements of this repository with the library of in-toto,
// which the root module does not depend on.
package intoto

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	provenance "github.com/in-toto/attestation/go/predicates/provenance/v1"
	intoto "github.com/in-toto/attestation/go/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

// The library accepts the statements, and knows all of their fields.
func TestStatements(t *testing.T) {
	var files []string
	for _, pattern := range []string{"image/provenance/testdata/*.jsonl", "kube/provenance/testdata/*.jsonl"} {
		matches, err := filepath.Glob(filepath.Join("../../../internal", pattern))
		if err != nil || len(matches) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(matches), err)
		}
		files = append(files, matches...)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(raw); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func validate(raw []byte) error {
	var s intoto.Statement
	if err := protojson.Unmarshal(raw, &s); err != nil {
		return err
	}
	if err := s.Validate(); err != nil {
		return err
	}
	predicate, err := json.Marshal(s.Predicate)
	if err != nil {
		return err
	}
	var p provenance.Provenance
	if err := protojson.Unmarshal(predicate, &p); err != nil {
		return err
	}
	return p.Validate()
}
