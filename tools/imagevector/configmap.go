package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"flag"
	"fmt"

	"gopkg.in/yaml.v3"

	"github.com/hyperkube/hyperkube/imagevector"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
)

// maxConfigMap is how many bytes Kubernetes lets a ConfigMap have; a little is
// left for names.
const maxConfigMap = 1<<20 - 1<<10

// deployment is what an overwrite is put into.
type deployment struct{ namespace, name, container string }

// overwriteFile is one of the two files that a component of Gardener reads.
type overwriteFile struct {
	text     string
	suffix   string // of the ConfigMap's name
	key      string // of the file in the ConfigMap
	folder   string
	variable string
	value    string // of the Helm chart
}

func configMap(_ context.Context, env cli.Env) error {
	in := input{env: env}
	fs := flag.NewFlagSet("imagevector configmap", flag.ContinueOnError)
	in.flagReading(fs)
	images := fs.String("overwrite", "", "the overwrite of images, a `file`")
	components := fs.String("components", "", "the overwrites handed on to components, a `file`")
	d := deployment{}
	fs.StringVar(&d.namespace, "namespace", "garden", "the `namespace`")
	fs.StringVar(&d.name, "deployment", "gardenlet", "the Deployment to patch, by `name`")
	fs.StringVar(&d.container, "container", "", "the container in it, by `name` (default: as the Deployment)")
	folder := fs.String("mount", "/charts-overwrite", "the `folder` of the container where the overwrite of images appears; that of components appears in FOLDER-components")
	helm := fs.Bool("helm", false, "write the values of Gardener's Helm chart instead")
	if err := cli.Parse(fs, env, false); err != nil {
		return err
	}
	if *images == "" && *components == "" {
		return cli.Usage("missing -overwrite FILE or -components FILE")
	}
	if d.container == "" {
		d.container = d.name
	}
	// It is for the Gardener of today, which reads no constraint in "version".
	if in.generation == imagevector.Auto {
		in.generation = imagevector.Current
	}
	var files []overwriteFile
	if *images != "" {
		text, err := in.read(*images)
		if err == nil {
			_, err = imagevector.Parse(text, append(in.options(*images), imagevector.AsOverwrite())...)
		}
		if err != nil {
			return fmt.Errorf("reading overwrite %q: %w", *images, err)
		}
		files = append(files, overwriteFile{string(text), "-images-overwrite", "images_overwrite.yaml", *folder, imagevector.OverwriteEnv, "imageVectorOverwrite"})
	}
	if *components != "" {
		text, err := in.read(*components)
		if err == nil {
			_, err = imagevector.ParseComponents(text, in.options(*components)...)
		}
		if err != nil {
			return fmt.Errorf("reading component overwrites %q: %w", *components, err)
		}
		files = append(files, overwriteFile{string(text), "-components-overwrite", "components.yaml", *folder + "-components", imagevector.ComponentsOverwriteEnv, "componentImageVectorOverwrites"})
	}
	for _, f := range files {
		if len(f.text) > maxConfigMap {
			return fmt.Errorf("writing ConfigMap %q: %d bytes are more than a ConfigMap may hold, %d: leave out what the site does not use", d.name+f.suffix, len(f.text), maxConfigMap)
		}
	}
	objects := d.objects(files)
	if *helm {
		values := map[string]any{}
		for _, f := range files {
			values[f.value] = f.text
		}
		objects = []any{values}
	}
	switch {
	case in.json && *helm:
		return printJSON(env.Out, objects[0])
	case in.json:
		return printJSON(env.Out, map[string]any{"apiVersion": "v1", "kind": "List", "items": objects})
	}
	text, err := yamlDocuments(objects)
	if err != nil {
		return err
	}
	_, err = env.Out.Write(text)
	return err
}

// object is a Kubernetes object; encoders write its keys sorted.
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
		// The file is read once, at the start: another text must start other pods.
		annotations["checksum/"+name] = fmt.Sprintf("%x", sha256.Sum256([]byte(f.text)))
		env = append(env, object{"name": f.variable, "value": f.folder + "/" + f.key})
		mounts = append(mounts, object{"name": name, "mountPath": f.folder, "readOnly": true})
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

// yamlDocuments writes objects as documents of one stream.
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
