// Package images embeds the records of the images that were built.
package images

import _ "embed"

//go:embed digests.json
var digests string

// Digests returns the bytes of digests.json; tools/internal/image/record parses
// them.
func Digests() []byte { return []byte(digests) }
