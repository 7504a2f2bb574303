package versions

// FileURL returns the URL of a file.
func (s Source) FileURL(k FileKey) string {
	return expand(s.URL, map[string]string{
		"version": k.Version.String(), "os": k.Platform.OS(), "arch": k.Platform.Arch(), "file": k.File,
	})
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
