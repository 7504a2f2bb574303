package vector

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/hyperkube/hyperkube/imagevector"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/spf13/cobra"
	"gopkg.in/yaml.v3"
)

// maxConfigMap is the size limit of a ConfigMap in bytes, less 1 KiB for metadata.
const maxConfigMap = 1<<20 - 1<<10

// deployment identifies the container that gets the overwrites.
type deployment struct{ namespace, name, container string }

// overwriteFile is one of the two files that a component of Gardener reads.
type overwriteFile struct {
	text     string
	suffix   string // of the name of the ConfigMap
	key      string // in the ConfigMap
	dir      string // where the container mounts it
	variable string // environment variable with the path
	value    string // key of the values of the Helm chart
}

// configMapper has the flags of configmap.
type configMapper struct {
	input
	deployment
	images, components, mount string
	helm                      bool
}

func newConfigMap(env cli.Env) *cobra.Command {
	m := configMapper{input: input{env: env}}
	c := newCommand(cobra.Command{
		Use:   "configmap",
		Short: "Print the ConfigMaps and the Deployment patch that apply an overwrite",
		Example: `  hk vector configmap --overwrite mine.yaml > overwrite.yaml
  hk vector configmap --overwrite mine.yaml --helm > values.yaml`,
	}, cobra.NoArgs, func(c *cobra.Command, _ []string) error { return m.run(c.Context()) })
	fs := c.Flags()
	m.formatFlags(fs)
	fs.StringVar(&m.images, "overwrite", "", "overwrite `file`")
	fs.StringVar(&m.components, "components", "", "`file` with the overwrites of components")
	fs.StringVar(&m.namespace, "namespace", "garden", "namespace of the Deployment")
	fs.StringVar(&m.name, "deployment", "gardenlet", "`name` of the Deployment to patch")
	fs.StringVar(&m.container, "container", "", "`name` of the container (default the name of the Deployment)")
	fs.StringVar(&m.mount, "mount", "/charts-overwrite", "mount `path` of the overwrite in the container; that of components is mounted at PATH-components")
	fs.BoolVar(&m.helm, "helm", false, "print values of Gardener's Helm chart instead")
	return c
}

func (m *configMapper) run(ctx context.Context) error {
	if m.images == "" && m.components == "" {
		return cli.Usage("missing --overwrite FILE or --components FILE")
	}
	if m.container == "" {
		m.container = m.name
	}
	// Current versions of Gardener read no constraint in "version".
	if m.generation == imagevector.Auto {
		m.generation = imagevector.Current
	}
	files, err := m.files(ctx)
	if err != nil {
		return err
	}
	objects := m.objects(files)
	if m.helm {
		values := map[string]any{}
		for _, f := range files {
			values[f.value] = f.text
		}
		objects = []any{values}
	}
	switch {
	case m.json && m.helm:
		return printJSON(m.env.Out, objects[0])
	case m.json:
		return printJSON(m.env.Out, map[string]any{"apiVersion": "v1", "kind": "List", "items": objects})
	}
	text, err := yamlDocuments(objects)
	if err != nil {
		return err
	}
	_, err = m.env.Out.Write(text)
	return err
}

// files reads and validates the overwrites.
func (m *configMapper) files(ctx context.Context) ([]overwriteFile, error) {
	var files []overwriteFile
	if m.images != "" {
		text, err := m.read(ctx, m.images)
		if err == nil {
			_, err = imagevector.Parse(text, append(m.options(m.images), imagevector.AsOverwrite())...)
		}
		if err != nil {
			return nil, fmt.Errorf("reading overwrite %q: %w", m.images, err)
		}
		files = append(files, overwriteFile{string(text), "-images-overwrite", "images_overwrite.yaml", m.mount, imagevector.OverwriteEnv, "imageVectorOverwrite"})
	}
	if m.components != "" {
		text, err := m.read(ctx, m.components)
		if err == nil {
			_, err = imagevector.ParseComponents(text, m.options(m.components)...)
		}
		if err != nil {
			return nil, fmt.Errorf("reading component overwrites %q: %w", m.components, err)
		}
		files = append(files, overwriteFile{string(text), "-components-overwrite", "components.yaml", m.mount + "-components", imagevector.ComponentsOverwriteEnv, "componentImageVectorOverwrites"})
	}
	for _, f := range files {
		if len(f.text) > maxConfigMap {
			return nil, fmt.Errorf("writing ConfigMap %q: %d bytes exceed the limit of %d; remove images that the site does not use", m.name+f.suffix, len(f.text), maxConfigMap)
		}
	}
	return files, nil
}

// object is a Kubernetes object. Encoders sort its keys.
type object = map[string]any

// objects returns the ConfigMaps and the patch that mounts them.
func (d deployment) objects(files []overwriteFile) []any {
	var objects, env, mounts, volumes []any
	annotations := object{}
	for _, f := range files {
		name := d.name + f.suffix
		objects = append(objects, object{
			"apiVersion": "v1", "kind": "ConfigMap",
			"metadata": object{"name": name, "namespace": d.namespace},
			"data":     object{f.key: f.text},
		})
		// Gardener reads the file once, at startup: a change must restart the pods.
		annotations["checksum/"+name] = fmt.Sprintf("%x", sha256.Sum256([]byte(f.text)))
		env = append(env, object{"name": f.variable, "value": f.dir + "/" + f.key})
		mounts = append(mounts, object{"name": name, "mountPath": f.dir, "readOnly": true})
		volumes = append(volumes, object{"name": name, "configMap": object{"name": name}})
	}
	return append(objects, object{
		"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": object{"name": d.name, "namespace": d.namespace},
		"spec": object{"template": object{
			"metadata": object{"annotations": annotations},
			"spec": object{
				"containers": []any{object{"name": d.container, "env": env, "volumeMounts": mounts}},
				"volumes":    volumes,
			},
		}},
	})
}

// yamlDocuments returns the objects as a YAML stream, a document each.
func yamlDocuments(objects []any) ([]byte, error) {
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	for _, o := range objects {
		if err := e.Encode(o); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), e.Close()
}
