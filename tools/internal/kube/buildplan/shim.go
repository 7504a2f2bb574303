package buildplan

import (
	"fmt"
	"strings"
	"time"

	"github.com/hyperkube/hyperkube/tools/internal/shell"
)

// gitShim returns a shell script that replaces git for the go command. The
// source tree is no repository, but its binaries must be stamped as if it were
// one. The script answers like git in a repository with a single, tagged
// commit. Unknown arguments are an error.
func gitShim(commit, tag string, commitTime time.Time) string {
	return fmt.Sprintf(`#!/bin/sh
commit=%s
seconds=%d
tag=%s
case "$*" in
"-c log.showsignature=false "*) shift 2 ;;
esac
case "$*" in
"version") echo "git version 2.39.0" ;;
"status --porcelain") ;;
"log -1 --format=%%H:%%ct" | "show -s --format=%%H:%%ct") echo "$commit:$seconds" ;;
"log --no-decorate -n1 --format=format:%%H %%ct %%D "* | "log -n1 --format=format:%%H %%ct %%D "*) echo "$commit $seconds HEAD -> master, tag: $tag" ;;
"tag -l") echo "$tag" ;;
"config extensions.objectformat") exit 1 ;;
"for-each-ref --format=%%(refname) --merged=$commit") echo "refs/tags/$tag" ;;
"cat-file --end-of-options blob $commit:go.mod" | "cat-file blob $commit:go.mod") exec cat go.mod ;;
*)
	echo "git shim: unsupported arguments: git $*" >&2
	exit 128
	;;
esac
`, shell.Quote(commit), commitTime.Unix(), shell.Quote(tag))
}

// goShim is a shell script that replaces go for the tree's scripts. It records
// builds and does not run them. It runs all other go commands.
const goShim = `#!/bin/sh
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

// versionFile returns the file that the tree's scripts read in place of running
// git.
func versionFile(version, commit string) (string, error) {
	parts := strings.Split(strings.TrimPrefix(version, "v"), ".")
	if len(parts) != 3 {
		return "", fmt.Errorf("invalid version %q, want one like v1.36.0", version)
	}
	return fmt.Sprintf("KUBE_GIT_COMMIT=%s\nKUBE_GIT_TREE_STATE='clean'\nKUBE_GIT_VERSION=%s\nKUBE_GIT_MAJOR=%s\nKUBE_GIT_MINOR=%s\n",
		shell.Quote(commit), shell.Quote(version), shell.Quote(parts[0]), shell.Quote(parts[1])), nil
}
