//go:build !linux

package toolset

import "os"

func startWriteback(*os.File, int64, int64) {}
