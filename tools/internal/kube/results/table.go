package results

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/versions"
)

// DocFile is the document that has the table in it.
const DocFile = "docs/rebuild.md"

// The table stands between these lines.
const (
	begin = "<!-- table: generated from versions/rebuilt.json by tools/rebuild -->"
	end   = "<!-- end of table -->"
)

// columns of the table; other binaries follow by name.
var columns = []string{
	"kubectl", "kubelet", "kubeadm", "kube-proxy", "kube-apiserver", "kube-controller-manager", "kube-scheduler",
}

// platforms in the order of the two marks of a cell.
var platforms = []string{"linux/amd64", "linux/arm64"}

var marks = map[string]string{Matched: "✓", Differs: "✗", Unbuildable: "–", "": "·"}

// Table renders the results: a row a version, newest first, a column a binary.
func (r *Results) Table() string {
	all := r.All()
	names := slices.Clone(columns)
	var rows []versions.Version
	for _, result := range all {
		if !slices.Contains(names, result.Binary) {
			names = append(names, result.Binary)
		}
		if !slices.Contains(rows, result.Version) {
			rows = append(rows, result.Version)
		}
	}
	slices.Sort(names[len(columns):])
	var b strings.Builder
	fmt.Fprintf(&b, "| version | toolchain | %s |\n", strings.Join(names, " | "))
	fmt.Fprintf(&b, "|---|---|%s\n", strings.Repeat("---|", len(names)))
	for _, v := range slices.Backward(rows) {
		toolchain := ""
		cells := make([]string, len(names))
		for i, name := range names {
			for _, p := range platforms {
				platform, err := versions.ParsePlatform(p)
				if err != nil {
					panic(err) // both are known
				}
				result := r.byKey[Key{v, platform, name}]
				toolchain = max(toolchain, result.Toolchain)
				cells[i] += marks[result.Outcome]
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", v, toolchain, strings.Join(cells, " | "))
	}
	return b.String()
}

// Insert puts the table into a document, in the place of the one in it.
func (r *Results) Insert(doc []byte) ([]byte, error) {
	before, rest, ok := bytes.Cut(doc, []byte(begin+"\n"))
	_, after, ok2 := bytes.Cut(rest, []byte(end+"\n"))
	if !ok || !ok2 {
		return nil, fmt.Errorf("updating the table in %s: want the lines %q and %q", DocFile, begin, end)
	}
	return slices.Concat(before, []byte(begin+"\n\n"+r.Table()+"\n"+end+"\n"), after), nil
}
