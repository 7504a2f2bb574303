package install

const usage = `Installs programs into a directory of the host. The change is atomic: all programs
are replaced at once, or none. The set of programs before the last change is kept.

Usage:
  %[1]s install --to DIR [FLAG]... NAME[=SOURCE]...
  %[1]s install list --to DIR
  %[1]s install verify --to DIR [--lock FILE] [--official]
  %[1]s install rollback --to DIR [--changed NAME]...

Commands:
  list      print the installed programs: version, SHA-256, source, and since when
  verify    compare all files with the sums that were installed
  rollback  return to the previous set; a second rollback undoes the first one

Examples:
  %[1]s install --to /host kubelet kubectl
  %[1]s install --to /host kubelet=keep: kubectl=https://HOST/kubectl#sha256=SUM

Flags:
  --to DIR            directory to install into; it must exist
  --mode MODE         permissions of the programs, octal (default 0755)
  --link NAME=TARGET  create a symlink NAME to the program TARGET, one of the
                      names of this command; may be repeated
  --changed NAME      exit with code 4 if the program NAME has changed; may be
                      repeated
  --image REFERENCE   reference of this image, to be recorded as the source
                      (default $HYPERKUBE_IMAGE)
  --lock FILE         lock.json of the hyperkube repository, or a part of it
                      (default /usr/share/hyperkube/lock.json: the image's own)
  --official          fail if a program is not known as official

Sources:
  (none)                                the program NAME in this image
  keep:                                 the installed program; fail if it is missing
  /PATH or ./PATH                       a file
  https://HOST/PATH#sha256=SUM          a download
  image:REFERENCE@sha256:DIGEST!/PATH   a file in an image of a registry
  image:REFERENCE:TAG!/PATH#sha256=SUM  the same, by tag

Every source accepts #sha256= and the SHA-256 of the program.

Exit codes:
  0  success
  1  failed
  2  wrong usage
  3  a program is missing or is not the expected one
  4  success, and a program of --changed has changed
`
