package sigstoretest

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"time"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/tlog"
)

// Options are those of a signature.
type Options struct {
	Identity, Issuer string
	NoSCT            bool          // no signed certificate timestamp
	After            time.Duration // of the log entry after [Authority.Start]; 0 for a minute
}

// Signature is a detached signature and what belongs to it.
type Signature struct {
	Signature   []byte // DER
	Certificate []byte // PEM
	Entry       *protorekor.TransparencyLogEntry
	Timestamp   []byte // response of the timestamp authority
}

// Sign signs data. The log entry has a signed timestamp and an inclusion proof.
func (a *Authority) Sign(data []byte, o Options) Signature {
	a.t.Helper()
	sum := sha256.Sum256(data)
	der, key := a.certificate(o.Identity, o.Issuer, !o.NoSCT)
	signature, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	a.check(err)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if o.After == 0 {
		o.After = time.Minute
	}
	timestamp, err := a.TimestampResponse(signature)
	a.check(err)
	return Signature{signature, certificate, a.entry(sum, signature, certificate, a.Start.Add(o.After)), timestamp}
}

func (a *Authority) entry(sum [32]byte, signature, certificate []byte, at time.Time) *protorekor.TransparencyLogEntry {
	type object = map[string]any
	body, err := json.Marshal(object{"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": object{
		"data": object{"hash": object{"algorithm": "sha256", "value": hex.EncodeToString(sum[:])}},
		"signature": object{
			"content":   base64.StdEncoding.EncodeToString(signature),
			"publicKey": object{"content": base64.StdEncoding.EncodeToString(certificate)},
		},
	}})
	a.check(err)
	id, err := a.RekorLogID()
	a.check(err)
	rawID, err := hex.DecodeString(id)
	a.check(err)
	promise, err := a.RekorSignPayload(tlog.RekorPayload{
		Body: base64.StdEncoding.EncodeToString(body), IntegratedTime: at.Unix(), LogIndex: 1000, LogID: id,
	})
	a.check(err)
	proof, err := a.GetInclusionProof(body)
	a.check(err)
	rootHash, err := hex.DecodeString(*proof.RootHash)
	a.check(err)
	return &protorekor.TransparencyLogEntry{
		LogIndex: 1000, LogId: &protocommon.LogId{KeyId: rawID}, IntegratedTime: at.Unix(), CanonicalizedBody: body,
		KindVersion:      &protorekor.KindVersion{Kind: "hashedrekord", Version: "0.0.1"},
		InclusionPromise: &protorekor.InclusionPromise{SignedEntryTimestamp: promise},
		InclusionProof: &protorekor.InclusionProof{
			LogIndex: *proof.LogIndex, TreeSize: *proof.TreeSize, RootHash: rootHash,
			Checkpoint: &protorekor.Checkpoint{Envelope: *proof.Checkpoint},
		},
	}
}
