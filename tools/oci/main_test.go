package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	imagearchive "github.com/hyperkube/hyperkube/tools/internal/image/archive"
	"github.com/hyperkube/hyperkube/tools/internal/image/layer"
	"github.com/hyperkube/hyperkube/tools/internal/image/layout"
	"github.com/hyperkube/hyperkube/tools/internal/script"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"oci": main})
}

func TestScripts(t *testing.T) {
	script.Run(t, testscript.Params{
		Dir: "testdata",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"layers":   writeLayers,
			"validate": validateLayout,
			"digest":   setDigest,
			"contents": printContents,
			"isolate":  isolate,
		},
		Setup: func(env *testscript.Env) error {
			for _, name := range []string{"REGISTRY", "REGISTRY2"} {
				server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
				env.Defer(server.Close)
				env.Setenv(name, strings.TrimPrefix(server.URL, "http://"))
			}
			cas := httptest.NewServer(http.FileServer(http.Dir(env.WorkDir)))
			env.Defer(cas.Close)
			env.Setenv("CAS", cas.URL)
			return nil
		},
	})
}

// writeLayers writes a layer NAME and its descriptor NAME.json per argument, and sets
// $NAME_blob to the path of its blob and $NAME_sha256.
func writeLayers(ts *testscript.TestScript, _ bool, names []string) {
	for _, name := range names {
		content := strings.Repeat(name, 10_000)
		var b bytes.Buffer
		d, err := layer.Write(context.Background(), &b, versions.Gzip, layer.Entry{
			Path: "/" + name, Mode: 0o755, Size: int64(len(content)), Content: strings.NewReader(content),
		})
		ts.Check(err)
		raw, err := json.Marshal(d)
		ts.Check(errors.Join(err, os.WriteFile(ts.MkAbs(name), b.Bytes(), 0o644), os.WriteFile(ts.MkAbs(name+".json"), raw, 0o644)))
		ts.Setenv(name+"_blob", "blobs/"+strings.Replace(d.Digest, ":", "/", 1))
		ts.Setenv(name+"_sha256", strings.TrimPrefix(d.Digest, "sha256:"))
	}
}

// validateLayout validates layouts with package validate of go-containerregistry.
func validateLayout(ts *testscript.TestScript, _ bool, dirs []string) {
	for _, dir := range dirs {
		read, err := layout.Open(ts.MkAbs(dir))
		ts.Check(err)
		if read.Index != nil {
			err = validate.Index(read.Index)
		} else {
			err = validate.Image(read.Image)
		}
		ts.Check(err)
	}
}

// setDigest sets a variable to the digest of a layout's index or image.
func setDigest(ts *testscript.TestScript, _ bool, args []string) {
	read, err := layout.Open(ts.MkAbs(args[1]))
	ts.Check(err)
	ts.Setenv(args[0], read.Digest.String())
}

// printContents prints the names and platforms of the images of an archive.
func printContents(ts *testscript.TestScript, _ bool, args []string) {
	f, err := os.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer f.Close()
	c, err := imagearchive.ReadContents(f)
	ts.Check(err)
	for _, image := range c.Images {
		ts.Stdout().Write([]byte(image.Name + " " + image.Digest.String()))
		for _, p := range image.Platforms {
			ts.Stdout().Write([]byte(" " + p.Platform))
		}
		ts.Stdout().Write([]byte("\n"))
	}
}

// isolate reduces PATH to the command oci and the given directories.
func isolate(ts *testscript.TestScript, _ bool, dirs []string) {
	bin := ts.MkAbs("only-oci")
	if _, err := os.Stat(bin); err != nil {
		ts.Check(os.Mkdir(bin, 0o755))
		path := ""
		for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
			if _, err := exec.LookPath(filepath.Join(dir, "oci")); err == nil {
				path = filepath.Join(dir, "oci")
				break
			}
		}
		ts.Check(os.Symlink(path, filepath.Join(bin, "oci")))
	}
	list := []string{bin}
	for _, dir := range dirs {
		list = append(list, ts.MkAbs(dir))
	}
	ts.Setenv("PATH", strings.Join(list, string(filepath.ListSeparator)))
}
