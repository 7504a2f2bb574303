package versions

// FileURL returns the URL of a file.
func (s Source) FileURL(k FileKey) string {
	return expand(s.URL, map[string]string{
		"version": k.Version.String(), "os": k.Platform.OS(), "arch": k.Platform.Arch(), "file": k.File,
	})
}

// BuildFlags returns the flags of go build for a file.
func (s Source) BuildFlags(k FileKey) []string {
	flags := make([]string, len(s.Flags))
	for i, flag := range s.Flags {
		flags[i] = expand(flag, map[string]string{"version": k.Version.String()})
	}
	return flags
}

// File returns a file of the source, if it exists for the version.
func (s Source) File(k FileKey) (SourceFile, bool) {
	for _, f := range s.Files {
		if f.Name == k.File {
			return f, matches(f.Versions, k.Version)
		}
	}
	return SourceFile{}, false
}

// Source returns a source by name.
func (m *Manifest) Source(name string) (Source, bool) {
	for _, s := range m.Sources {
		if s.Name == name {
			return s, true
		}
	}
	return Source{}, false
}
