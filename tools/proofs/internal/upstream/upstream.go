package upstream

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/hyperkube/hyperkube/tools/proofs/internal/sigstore"
	"github.com/hyperkube/hyperkube/tools/proofs/internal/spdx"
	"github.com/hyperkube/hyperkube/versions"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
)

const (
	// maxIndex bounds the entries of the log for one digest. Anyone can add some.
	maxIndex = 200
	// batch is the number of entries that the log returns at once.
	batch = 10
	// maxResponse bounds a response of the log in bytes.
	maxResponse = 4 << 20
)

// Bundle returns the bundle of a file: the detached signature and the certificate beside
// its URL, with the entry of the transparency log that has both. It is not verified.
func (c *Client) Bundle(ctx context.Context, address string, digest versions.Digest) (*sigstore.Bundle, error) {
	signature, err := c.get(ctx, address+".sig", sigstore.MaxBundle)
	if err != nil {
		return nil, err
	}
	certificate, err := c.get(ctx, address+".cert", sigstore.MaxBundle)
	if err != nil {
		return nil, err
	}
	b, err := sigstore.Assemble(digest, signature, certificate, nil)
	if err != nil {
		return nil, fmt.Errorf("%q: %w: %w", address, ErrInvalid, err)
	}
	entry, err := c.entry(ctx, digest, b.GetMessageSignature().GetSignature())
	if err != nil {
		return nil, err
	}
	return sigstore.Assemble(digest, signature, certificate, entry)
}

// Document returns an SPDX document and its bundle.
func (c *Client) Document(ctx context.Context, address string) ([]byte, *sigstore.Bundle, error) {
	data, err := c.get(ctx, address, spdx.MaxDocument)
	if err != nil {
		return nil, nil, err
	}
	b, err := c.Bundle(ctx, address, versions.NewDigest(sha256.Sum256(data)))
	return data, b, err
}

// entry returns the entry of the transparency log with a signature of a digest; nil if
// it has none.
func (c *Client) entry(ctx context.Context, digest versions.Digest, signature []byte) (*protorekor.TransparencyLogEntry, error) {
	var ids []string
	err := c.query(ctx, "/api/v1/index/retrieve", map[string]string{"hash": "sha256:" + digest.String()}, &ids)
	if err != nil {
		return nil, err
	}
	if len(ids) > maxIndex {
		return nil, fmt.Errorf("searching the transparency log for sha256 %s: want at most %d entries, got %d", digest, maxIndex, len(ids))
	}
	for chunk := range slices.Chunk(ids, batch) {
		var entries []map[string]logEntry
		if err := c.query(ctx, "/api/v1/log/entries/retrieve", map[string][]string{"entryUUIDs": chunk}, &entries); err != nil {
			return nil, err
		}
		for _, byID := range entries {
			for _, id := range slices.Sorted(maps.Keys(byID)) {
				if entry, err := byID[id].decode(signature); err != nil || entry != nil {
					return entry, err
				}
			}
		}
	}
	return nil, nil
}

// query sends a request to the transparency log, and decodes the response. No entry is
// no error.
func (c *Client) query(ctx context.Context, path string, request, response any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	data, err := c.post(ctx, path, body, maxResponse)
	if errors.Is(err, ErrNotPublished) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, response); err != nil {
		return fmt.Errorf("reading the response of %q: %w", c.Rekor+path, err)
	}
	return nil
}

// logEntry is an entry as the API of the log, version 1, returns it.
type logEntry struct {
	Body           []byte `json:"body"`
	IntegratedTime int64  `json:"integratedTime"`
	LogID          string `json:"logID"`
	LogIndex       int64  `json:"logIndex"`
	Verification   struct {
		SignedEntryTimestamp []byte `json:"signedEntryTimestamp"`
	} `json:"verification"`
}

// decode returns the entry for a bundle; nil if it is of another signature or kind. The
// inclusion proof is left out: it changes with every request and proves no time.
func (e logEntry) decode(signature []byte) (*protorekor.TransparencyLogEntry, error) {
	var body struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Spec       struct {
			Signature struct {
				Content string `json:"content"`
			} `json:"signature"`
		} `json:"spec"`
	}
	// Anyone can add entries of any kind.
	if err := json.Unmarshal(e.Body, &body); err != nil || body.Kind != "hashedrekord" {
		return nil, nil
	}
	if content, err := base64.StdEncoding.DecodeString(body.Spec.Signature.Content); err != nil || !bytes.Equal(content, signature) {
		return nil, nil
	}
	id, err := hex.DecodeString(e.LogID)
	if err != nil {
		return nil, fmt.Errorf("reading an entry of the transparency log: logID: %w", err)
	}
	return &protorekor.TransparencyLogEntry{
		LogIndex: e.LogIndex, LogId: &protocommon.LogId{KeyId: id}, IntegratedTime: e.IntegratedTime,
		KindVersion:       &protorekor.KindVersion{Kind: body.Kind, Version: body.APIVersion},
		InclusionPromise:  &protorekor.InclusionPromise{SignedEntryTimestamp: e.Verification.SignedEntryTimestamp},
		CanonicalizedBody: e.Body,
	}, nil
}
