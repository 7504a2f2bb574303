package vector

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

// The output in the documentation is that of the commands. Its first two vectors
// are images.yaml and mine.yaml; "…" matches the rest of the output.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile("../../../../../docs/image-vector.md")
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
		for session := range strings.SplitSeq("\n"+block, "\n$ hk vector ") {
			command, want, ok := strings.Cut(session, "\n")
			if !ok || command == "" {
				continue
			}
			shown++
			var out bytes.Buffer
			_ = run(t.Context(), cli.Env{Args: append([]string{"vector"}, strings.Fields(command)...), Dir: dir, Out: &out, Err: &out})
			want, _, open := strings.Cut(strings.TrimSpace(want), "…")
			if got := strings.TrimSpace(out.String()); got != strings.TrimSpace(want) && (!open || !strings.HasPrefix(got, strings.TrimSpace(want))) {
				t.Errorf("hk vector %s\nprints:\n%s\nthe documentation has:\n%s", command, got, want)
			}
		}
	}
	if shown < 3 {
		t.Errorf("found %d commands with output, want 3 or more", shown)
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
