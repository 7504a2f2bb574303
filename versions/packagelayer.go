package versions

// PackageLayer is a layer of Debian packages: the packages of one set, on top of the
// layers of the sets that it extends. Its JSON is the input of the layer writer.
type PackageLayer struct {
	Platform Platform `json:"platform"`
	// Exclude are patterns of paths that are left out, Include their exceptions.
	// In a pattern, * matches within a path element and ** any number of elements.
	Exclude []string `json:"exclude,omitempty"`
	Include []string `json:"include,omitempty"`
	// Sets are the sets from the lowest layer to the layer itself, which is the last.
	Sets []PackageSet `json:"sets"`

	inputs Digest // of everything that determines the layer's digest
}

// PackageSet is a set of Debian packages, and what their maintainer scripts would
// have done. Nothing of a package is executed.
type PackageSet struct {
	Name     string       `json:"name"`
	Packages []PackagePin `json:"packages"` // by name, without those of the sets below
	// Files, Directories and Symlinks are added to the files of the packages, by path.
	Files        []AddedFile   `json:"files,omitempty"`
	Directories  []AddedDir    `json:"directories,omitempty"`
	Symlinks     []Symlink     `json:"symlinks,omitempty"`
	Alternatives []Alternative `json:"alternatives,omitempty"`
	// Owners names, for a path that several packages have, the package whose file is used.
	Owners map[string]string `json:"owners,omitempty"`
}

// AddedFile is a file that no package contains: the concatenation of all files of
// packages that match the pattern From, by path, and the given content.
type AddedFile struct {
	Path    string `json:"path"`
	From    string `json:"from,omitempty"`
	Content string `json:"content,omitempty"`
	Mode    int64  `json:"mode"` // permission bits
}

// AddedDir is a directory.
type AddedDir struct {
	Path string `json:"path"`
	Mode int64  `json:"mode"` // permission bits, with sticky, setuid and setgid
	UID  int    `json:"uid,omitempty"`
	GID  int    `json:"gid,omitempty"`
}

// Alternative is a group of update-alternatives: Link points to one of the choices.
type Alternative struct {
	Name    string              `json:"name"`
	Link    string              `json:"link"`
	Slaves  []AlternativeSlave  `json:"slaves,omitempty"` // by name
	Choices []AlternativeChoice `json:"choices"`
	Choose  string              `json:"choose"` // the path of a choice
}

// AlternativeSlave is a link that changes along with that of its group.
type AlternativeSlave struct {
	Name string `json:"name"`
	Link string `json:"link"`
}

// AlternativeChoice is one choice of a group of alternatives.
type AlternativeChoice struct {
	Path     string            `json:"path"`
	Priority int               `json:"priority"`
	Slaves   map[string]string `json:"slaves,omitempty"` // names of slaves to paths
}

// PackagePin is the pin of a Debian package in a set, for one platform.
type PackagePin struct {
	Set          string   `json:"set"`
	Platform     Platform `json:"platform"`
	Name         string   `json:"name"`
	Version      string   `json:"version"`
	Architecture string   `json:"architecture"` // that of the platform, or "all"
	Archive      string   `json:"archive"`      // "debian" or "debian-security"
	Path         string   `json:"path"`         // in the archive, "pool/main/…"
	Size         int64    `json:"size"`         // of the .deb in bytes
	SHA256       Digest   `json:"sha256"`       // of the .deb
}
