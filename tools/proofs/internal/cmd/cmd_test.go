package cmd

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/tools/proofs/internal/proofs"
	"github.com/hyperkube/hyperkube/tools/proofs/internal/sigstore"
	"github.com/hyperkube/hyperkube/tools/proofs/internal/sigstoretest"
	"github.com/hyperkube/hyperkube/versions"
)

const policy = `
source: kubernetes
firstVersion: v1.26.0
signers: [{identity: release@example.org, issuer: "https://example.org", from: 2022-10-01T00:00:00Z}]
`

// checkout has a lock with two files, and run runs the program in it.
type checkout struct {
	dir       string
	authority *sigstoretest.Authority
	t         *testing.T
}

func newCheckout(t *testing.T) checkout {
	t.Helper()
	c := checkout{t.TempDir(), sigstoretest.New(t), t}
	lock := versions.NewLock()
	for _, name := range []string{"v1.25.0/linux/amd64/kubelet", "v1.36.0/linux/amd64/kubelet"} {
		key, err := versions.ParseFileKey("kubernetes/" + name)
		if err != nil {
			t.Fatal(err)
		}
		lock.Set(versions.Pin{FileKey: key, URL: "https://dl.k8s.io/release/" + key.Version.String() + "/bin/linux/amd64/kubelet", SHA256: digest(name)})
	}
	c.write(versions.LockFile, lock.Format())
	c.write(proofs.PolicyFile, []byte(policy))
	c.write(proofs.RootFile, c.authority.Root())
	return c
}

func digest(s string) versions.Digest { return versions.NewDigest(sha256.Sum256([]byte(s))) }

func (c checkout) write(name string, data []byte) {
	c.t.Helper()
	name = filepath.Join(c.dir, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, data, 0o644)); err != nil {
		c.t.Fatal(err)
	}
}

func (c checkout) run(env map[string]string, args ...string) (out, stderr string, code int) {
	var o, e bytes.Buffer
	err := Run(context.Background(), cli.Env{Args: args, Dir: c.dir, Out: &o, Err: &e, Getenv: func(name string) string { return env[name] }})
	code = cli.Code("hk", &e, err)
	return o.String(), e.String(), code
}

// sign writes a bundle of a file's content.
func (c checkout) sign(file, content, identity string) {
	c.t.Helper()
	s := c.authority.Sign([]byte(content), sigstoretest.Options{Identity: identity, Issuer: "https://example.org"})
	b, err := sigstore.Assemble(digest(content), s.Signature, s.Certificate, s.Entry)
	if err != nil {
		c.t.Fatal(err)
	}
	data, err := b.Format()
	if err != nil {
		c.t.Fatal(err)
	}
	c.write(file, data)
}

func TestVerify(t *testing.T) {
	c := newCheckout(t)
	expect := func(wantCode int, want string, args ...string) {
		t.Helper()
		out, stderr, code := c.run(nil, args...)
		if code != wantCode || !regexp.MustCompile("(?s)"+want).MatchString(out+stderr) {
			t.Errorf("%v: got exit code %d, output\n%s%s\nwant %d, %q", args, code, out, stderr, wantCode, want)
		}
	}
	expect(0, `v1\.25 +1 +1 +0 +0 +1 +0 +0\nv1\.36 +1 +1 +0 +1 +0 +0 +0\n$`, "verify")

	c.sign("carried/x.json", "v1.36.0/linux/amd64/kubelet", "release@example.org")
	expect(0, `^hk: added 1 proofs; 0 were present\n$`, "import", "carried")
	expect(0, `^hk: added 0 proofs; 1 were present\n$`, "import", "carried")
	expect(0, `v1\.36 +1 +1 +1 +0 +0 +0 +0\n$`, "verify")
	expect(0, `kubernetes/v1.36.0/linux/amd64/kubelet +proven +20..-..-..T..:..:..Z +release@example.org\n$`, "verify", "v1.36.0")
	expect(2, `has no files of v1.37.0`, "verify", "v1.37.0")
	expect(2, `is not a stable version`, "verify", "latest")

	out, _, _ := c.run(nil, "verify", "--json", "v1.36.0")
	var r proofs.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil || len(r.Files) != 1 || r.Files[0].Proof.Identity != "release@example.org" || r.Files[0].Status != proofs.Proven {
		t.Errorf("got %+v, %v", r, err)
	}

	// With another root, the same bundle is a contradiction.
	c.write("other.json", sigstoretest.New(t).Root())
	expect(3, `v1\.36 +1 +1 +0 +0 +0 +0 +1\ncontradiction: kubernetes/v1.36.0/linux/amd64/kubelet: versions/proofs/.*hk: 1 contradictions in versions/proofs\n$`,
		"verify", "--trusted-root=other.json")

	c.sign("refused/x.json", "v1.36.0/linux/amd64/kubelet", "mallory@example.org")
	expect(3, `importing ".*x.json": kubernetes/v1.36.0/linux/amd64/kubelet: the policy does not accept the signer`, "import", "refused")
	expect(1, `opening the proofs: .*none.json`, "verify", "--trusted-root=none.json")
	c.write(proofs.PolicyFile, []byte(strings.Replace(policy, "identity", "identities", 1)))
	expect(1, `parsing "versions/proofs/policy.yaml".*\n.*field identities not found`, "verify")
	c.write(proofs.PolicyFile, []byte("source: kubernetes\nknownMismatches: [{file: x, url: x}]\nsigners: [{until: 2022-10-01T00:00:00Z}]"))
	expect(1, `firstVersion: want a value\nsigners\[0\].identity: want a value\nsigners\[0\].issuer: want a value\nsigners\[0\].from: want a value\nknownMismatches\[0\].file: .*\nknownMismatches\[0\].reason: want a value\nknownMismatches\[0\].url: want https`, "verify")
}

func TestFetchFails(t *testing.T) {
	c := newCheckout(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer server.Close()
	for _, test := range []struct {
		env  map[string]string
		code int
	}{
		{map[string]string{"HYPERKUBE_UPSTREAM": "off"}, 1},
		{map[string]string{"HYPERKUBE_REBUILD": "1"}, 1},
		{map[string]string{"HYPERKUBE_UPSTREAM": server.URL}, 1},
		{map[string]string{"HYPERKUBE_UPSTREAM": "user:secret@host"}, 2},
	} {
		out, stderr, code := c.run(test.env, "fetch")
		if code != test.code || out != "" || !strings.Contains(stderr, "HYPERKUBE_UPSTREAM") && !strings.Contains(stderr, "got status 403 Forbidden\nFix: run hk pin --proofs where") || strings.Contains(stderr, "secret") {
			t.Errorf("%v: got exit code %d, %q, %q", test.env, code, out, stderr)
		}
	}
}
