package buildplan

import (
	"fmt"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/shell"
)

// gitStandIn is a shell script that answers, in the place of git, what the go
// command asks of a repository whose one commit has the tag: the tree is no
// repository, and its binaries must carry what they would if it were. What is
// not foreseen ends with an error that names the question.
func gitStandIn(commit, tag string, at time.Time) string {
	return fmt.Sprintf(`#!/bin/sh
commit=%s
seconds=%d
tag=%s
case "$*" in
"version") echo "git version 2.39.0" ;;
"status --porcelain") ;;
"-c log.showsignature=false "*) shift 2 ;;
esac
case "$*" in
"version" | "status --porcelain") ;;
"log -1 --format=%%H:%%ct" | "show -s --format=%%H:%%ct") echo "$commit:$seconds" ;;
"log --no-decorate -n1 --format=format:%%H %%ct %%D "*) echo "$commit $seconds HEAD -> master, tag: $tag" ;;
"log -n1 --format=format:%%H %%ct %%D "*) echo "$commit $seconds HEAD -> master, tag: $tag" ;;
"tag -l") echo "$tag" ;;
"config extensions.objectformat") exit 1 ;;
"for-each-ref --format=%%(refname) --merged=$commit") echo "refs/tags/$tag" ;;
"cat-file --end-of-options blob $commit:go.mod" | "cat-file blob $commit:go.mod") exec cat go.mod ;;
*)
	echo "git stand-in: not foreseen: git $*" >&2
	exit 128
	;;
esac
`, shell.Quote(commit), at.Unix(), shell.Quote(tag))
}

// goRecorder is a shell script that writes down a build in the place of go and
// does not run it; everything else it passes on.
const goRecorder = `#!/bin/sh
case "$1" in
install | build | test)
	{
		printf '%s\0' "$PWD" "$#" "$@"
		env -0
		printf '\0'
	} >>` + recordDir + `/builds
	;;
*)
	exec ` + goroot + `/bin/go "$@"
	;;
esac
`

// versionFile is what the tree's scripts read instead of asking git.
func versionFile(version, commit string) (string, error) {
	parts := strings.Split(strings.TrimPrefix(version, "v"), ".")
	if len(parts) != 3 {
		return "", fmt.Errorf("version %q is not of the form v1.36.0", version)
	}
	return fmt.Sprintf("KUBE_GIT_COMMIT=%s\nKUBE_GIT_TREE_STATE='clean'\nKUBE_GIT_VERSION=%s\nKUBE_GIT_MAJOR=%s\nKUBE_GIT_MINOR=%s\n",
		shell.Quote(commit), shell.Quote(version), shell.Quote(parts[0]), shell.Quote(parts[1])), nil
}
