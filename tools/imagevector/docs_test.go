package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

// What the document shows is what the commands print. Its first two vectors are
// images.yaml and mine.yaml; "…" stands for whatever follows.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/image-vector.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files := []string{"images.yaml", "mine.yaml"}
	shown := 0
	for _, block := range codeBlocks(string(text)) {
		if strings.HasPrefix(block, "images:\n") && len(files) > 0 {
			if err := os.WriteFile(filepath.Join(dir, files[0]), []byte(block), 0o644); err != nil {
				t.Fatal(err)
			}
			files = files[1:]
		}
		for session := range strings.SplitSeq("\n"+block, "\n$ go run ./tools/imagevector ") {
			command, want, ok := strings.Cut(session, "\n")
			if !ok || command == "" {
				continue
			}
			shown++
			var out bytes.Buffer
			_ = run(t.Context(), cli.Env{Args: strings.Fields(command), Dir: dir, Out: &out, Err: &out})
			want, _, open := strings.Cut(strings.TrimSpace(want), "…")
			if got := strings.TrimSpace(out.String()); got != strings.TrimSpace(want) && (!open || !strings.HasPrefix(got, strings.TrimSpace(want))) {
				t.Errorf("imagevector %s\nprints:\n%s\nthe document has:\n%s", command, got, want)
			}
		}
	}
	if shown < 3 {
		t.Errorf("%d commands with what they print are too few to mean anything", shown)
	}
}

// codeBlocks returns the indented blocks of a Markdown text.
func codeBlocks(text string) (blocks []string) {
	var block strings.Builder
	for line := range strings.Lines(text) {
		rest, indented := strings.CutPrefix(line, "    ")
		switch {
		case indented:
			block.WriteString(rest)
		case strings.TrimSpace(line) == "":
			block.WriteString("\n")
		default:
			if b := strings.TrimLeft(block.String(), "\n"); b != "" {
				blocks = append(blocks, b)
			}
			block.Reset()
		}
	}
	return blocks
}
