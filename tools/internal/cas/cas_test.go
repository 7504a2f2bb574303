package cas

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/versions"
)

// start starts a server of HTTP/1 and of HTTP/2 without encryption.
func start(t *testing.T, handler http.HandlerFunc) (host string) {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func fetch(t *testing.T, address string, blob []byte) ([]byte, error) {
	t.Helper()
	c, err := New(address)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "blob")
	err = c.Fetch(t.Context(), versions.NewDigest(sha256.Sum256(blob)), int64(len(blob)), file)
	got, readErr := os.ReadFile(file)
	if (err == nil) != (readErr == nil) {
		t.Errorf("%v, and %v", err, readErr)
	}
	return got, err
}

func TestHTTP(t *testing.T) {
	blob := bytes.Repeat([]byte("layer"), 1<<20)
	host := start(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case fmt.Sprintf("/prefix/cas/%x", sha256.Sum256(blob)):
			w.Write(blob)
		case fmt.Sprintf("/other/cas/%x", sha256.Sum256(blob)):
			w.Write(blob[1:])
		default:
			http.NotFound(w, r)
		}
	})
	if got, err := fetch(t, "http://"+host+"/prefix/", blob); err != nil || !bytes.Equal(got, blob) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	if _, err := fetch(t, "http://"+host, blob); err == nil || !strings.HasSuffix(err.Error(), "of http://"+host+": 404 Not Found") {
		t.Errorf("got %v", err)
	}
	if _, err := fetch(t, "http://"+host+"/other", blob); err == nil || !strings.Contains(err.Error(), "want sha256") {
		t.Errorf("got %v", err)
	}
}

// chunk encodes a ReadResponse with its prefix.
func chunk(data []byte) []byte {
	m := append(binary.AppendUvarint([]byte{0x52}, uint64(len(data))), data...)
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(m))), m...)
}

func TestGRPC(t *testing.T) {
	blob := bytes.Repeat([]byte("layer"), 1<<20)
	const size = 3 << 20
	whole := append(chunk(blob[:size]), chunk(blob[size:])...)
	for _, test := range []struct {
		name            string
		body            []byte
		status, message string
		want            string // in the error
	}{
		{"whole", whole, "0", "", ""},
		{"empty messages", append(append(chunk(nil), 0, 0, 0, 0, 0), whole...), "0", "", ""},
		{"missing", nil, "5", "Blob%20%0a gone", `gRPC status 5: not found: Blob \n gone`},
		{"error at the end", whole, "14", "restart", "gRPC status 14: restart"},
		{"short", chunk(blob[:size]), "0", "", "want sha256"},
		{"long", append(whole, chunk([]byte("x"))...), "0", "", "bytes, got"},
		{"within a message", whole[:100], "0", "", "unexpected EOF"},
		{"no status", whole, "", "", "response without gRPC status"},
		{"large message", binary.BigEndian.AppendUint32([]byte{0}, maxMessage+1), "0", "", "want messages of at most"},
		{"compressed", append([]byte{1}, whole[1:]...), "0", "", "without compression"},
		{"other message", []byte{0, 0, 0, 0, 2, 0x0a, 0}, "0", "", "want a message google.bytestream.ReadResponse"},
	} {
		t.Run(test.name, func(t *testing.T) {
			host := start(t, func(w http.ResponseWriter, r *http.Request) {
				got, err := io.ReadAll(r.Body)
				name := fmt.Sprintf("main/blobs/%x/%d", sha256.Sum256(blob), len(blob))
				want := append([]byte{0, 0, 0, 0, byte(len(name) + 2), 0x0a, byte(len(name))}, name...)
				if r.URL.Path != "/google.bytestream.ByteStream/Read" || r.ProtoMajor != 2 || r.Header.Get("Content-Type") != "application/grpc" || r.Header.Get("Te") != "trailers" || !bytes.Equal(got, want) {
					t.Errorf("got request %s %s %v %q, %v", r.Proto, r.URL, r.Header, got, err)
				}
				w.Header().Set("Content-Type", "application/grpc")
				if test.body == nil { // the status is in the headers
					w.Header().Set("Grpc-Status", test.status)
					w.Header().Set("Grpc-Message", test.message)
					return
				}
				w.Write(test.body)
				if test.status != "" {
					w.Header().Set(http.TrailerPrefix+"Grpc-Status", test.status)
					w.Header().Set(http.TrailerPrefix+"Grpc-Message", test.message)
				}
			})
			got, err := fetch(t, "grpc://"+host+"/main", blob)
			if test.want == "" && (err != nil || !bytes.Equal(got, blob)) {
				t.Errorf("got %d bytes, %v", len(got), err)
			}
			if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestNew(t *testing.T) {
	for address, want := range map[string]string{
		"":                             "want SCHEME://HOST:PORT",
		"cache.example:9092":           "want SCHEME://HOST:PORT",
		"unix:/run/cas":                "want SCHEME://HOST:PORT",
		"ftp://cache.example":          `"ftp://cache.example": want one of the schemes`,
		"http://me:secret@c.example":   `without user and query, got "http://xxxxx@c.example"`,
		"http://me:secret@c.example:x": "want a URL",
	} {
		if _, err := New(address); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: got %v, want %q", address, err, want)
		}
	}
}
