package imagevector_test

import (
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/hyperkube/hyperkube/imagevector"
)

const pause = `
images:
- name: pause-container
  repository: registry.k8s.io/pause
  tag: "3.4"
  targetVersion: "1.20.x"
  architectures: [amd64]
- name: pause-container
  repository: registry.k8s.io/pause
  tag: "3.5"
  targetVersion: ">= 1.21"
  architectures: [amd64]
- name: hyperkube
  repository: registry.example.com/hyperkube
`

func Example() {
	v, err := imagevector.Parse([]byte(pause))
	if err != nil {
		log.Fatal(err)
	}
	for _, version := range []string{"1.20.7", "1.36.0"} {
		image, err := v.Find("pause-container", imagevector.RuntimeVersion(version), imagevector.TargetVersion(version))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(image)
	}
	// The entry has no tag, so the target version becomes one.
	image, err := v.Find("hyperkube", imagevector.TargetVersion("1.36.0"))
	fmt.Println(image, err)
	_, err = v.Find("pause-container", imagevector.Architecture("arm64"))
	fmt.Println(err)
	// Output:
	// registry.k8s.io/pause:3.4
	// registry.k8s.io/pause:3.5
	// registry.example.com/hyperkube:v1.36.0 <nil>
	// could not find image "pause-container" opts architecture arm64
}

func ExampleParse_problems() {
	_, err := imagevector.Parse([]byte(`
images:
- name: pause-container
  repository: registry.k8s.io/pause
  tag: 3.10
  targetversion: ">= 1.21"
- name: etcd
  repository: gcr.io/etcd-development/etcd
  targetVersion: ">= 1.21"
- name: etcd
  repository: gcr.io/etcd-development/etcd
  targetVersion: ">= 1.30"
`), imagevector.WithFile("images.yaml"))
	var problems imagevector.Problems
	if errors.As(err, &problems) {
		for _, p := range problems {
			fmt.Println(p)
		}
	}
	// Output:
	// images.yaml:5:8: images[0].tag: unquoted 3.10 is read as 3.1: write "3.10"
	// images.yaml:6:3: images[0].targetversion: wrong case of key "targetversion": want "targetVersion"
	// images.yaml:10:3: images[2]: entry of "etcd" is never chosen: wherever it matches, the entry at line 7 has a higher score or comes first
}

func ExampleVector_Overwrite() {
	v, err := imagevector.Parse([]byte(pause))
	if err != nil {
		log.Fatal(err)
	}
	over, err := imagevector.Parse([]byte(`
images:
- name: pause-container
  repository: registry.example.com/pause
  targetVersion: ">= 1.21"
  architectures: [amd64]
- name: pause-container
  repository: registry.example.com/pause
  targetVersion: "1.20.x"
`), imagevector.AsOverwrite())
	if err != nil {
		log.Fatal(err)
	}
	merged := v.Overwrite(over)
	for _, version := range []string{"1.20.7", "1.36.0"} {
		image, err := merged.Find("pause-container", imagevector.TargetVersion(version))
		fmt.Println(image, err)
	}
	// The first overwrite is merged into an entry. The second one lacks the
	// architectures and is added with a lower score: the public image is pulled.

	// Output:
	// registry.k8s.io/pause:3.4 <nil>
	// registry.example.com/pause:3.5 <nil>
}

func ExampleVector_Explain() {
	v, err := imagevector.Parse([]byte(pause))
	if err != nil {
		log.Fatal(err)
	}
	candidates, err := v.Explain("pause-container", imagevector.TargetVersion("1.36.0"))
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range candidates {
		if c.Matches {
			fmt.Printf("entry %d scores %d, chosen: %v\n", c.Index, c.Score, c.Chosen)
		} else {
			fmt.Printf("entry %d: %s\n", c.Index, c.Reason)
		}
	}
	// Output:
	// entry 0: target version "1.36.0" does not satisfy "1.20.x"
	// entry 1 scores 3, chosen: true
}

func ExampleVector_Choices() {
	v, err := imagevector.Parse([]byte(pause))
	if err != nil {
		log.Fatal(err)
	}
	within, err := imagevector.ParseVersions("1.19..1.36")
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range v.Choices("pause-container", "amd64", within) {
		fmt.Println(c.Versions, "entry", c.Entry)
	}
	// Output:
	// 1.19.x entry -1
	// 1.20.x entry 0
	// 1.21.0..1.36.x entry 1
}

func ExampleVector_Rewrite() {
	v, err := imagevector.Parse([]byte(pause))
	if err != nil {
		log.Fatal(err)
	}
	rule, err := imagevector.ParseRule("registry.k8s.io=registry.example.com/k8s")
	if err != nil {
		log.Fatal(err)
	}
	over, left := v.Rewrite(imagevector.Rules{rule})
	fmt.Print(string(imagevector.Render("", over, nil)))
	fmt.Println("no rule matches:", left[0].Name)
	// Output:
	// images:
	// - name: pause-container
	//   repository: registry.example.com/k8s/pause
	//   targetVersion: "1.20.x"
	//   architectures: [amd64]
	// - name: pause-container
	//   repository: registry.example.com/k8s/pause
	//   targetVersion: ">= 1.21"
	//   architectures: [amd64]
	// no rule matches: hyperkube
}

func ExampleWithVersions() {
	within, err := imagevector.ParseVersions("1.33..1.36")
	if err != nil {
		log.Fatal(err)
	}
	_, err = imagevector.Parse([]byte(`
images:
- name: cluster-autoscaler
  repository: registry.example.com/cluster-autoscaler
  tag: v1.34.0
  targetVersion: "< 1.35"
- name: cluster-autoscaler
  repository: registry.example.com/cluster-autoscaler
  tag: v1.36.0
  targetVersion: ">= 1.36"
`), imagevector.WithVersions(within))
	fmt.Println(err)
	// Output:
	// 3:3: images[0]: no image of "cluster-autoscaler" for Kubernetes 1.35.x on amd64
}

func ExampleCompatible() {
	data := []byte("images:\n- name: pause\n  repository: registry.k8s.io/pause\n  tag: 3.10\n")
	_, err := imagevector.Parse(data)
	fmt.Println(err)
	v, err := imagevector.Parse(data, imagevector.Compatible())
	if err != nil {
		log.Fatal(err)
	}
	image, err := v.Find("pause")
	fmt.Println(image, err)
	// Output:
	// 4:8: images[0].tag: unquoted 3.10 is read as 3.1: write "3.10"
	// registry.k8s.io/pause:3.1 <nil>
}

func ExampleParseComponents() {
	components, err := imagevector.ParseComponents([]byte(`
components:
- name: etcd-druid
  imageVectorOverwrite: |
    images:
    - name: etcd
      tag: v1.2.3
      repository: registry.example.com/etcd
`))
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range components {
		image, err := c.Vector.Find("etcd")
		fmt.Println(c.Name, image, err)
	}
	// Output:
	// etcd-druid registry.example.com/etcd:v1.2.3 <nil>
}

func ExampleCompare() {
	parse := func(text string) *imagevector.Vector {
		v, err := imagevector.Parse([]byte(text))
		if err != nil {
			log.Fatal(err)
		}
		return v
	}
	before := parse("images: [{name: hyperkube, repository: registry.example.com/hyperkube}]")
	after := parse("images: [{name: hyperkube, repository: registry.example.com/hyperkube, tag: v1.36.0}]")
	within, err := imagevector.ParseVersions("1.36.0..1.36.2")
	if err != nil {
		log.Fatal(err)
	}
	differences, err := imagevector.Compare(before, after, within, []string{"amd64"}, imagevector.SameVersion)
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range differences {
		old, changed := before.Sources()[d.Before], after.Sources()[d.After]
		fmt.Println(d.Name, d.Architecture, d.Target, old.Reference(), "->", changed.Reference())
	}
	// For 1.36.0, the images are equal.

	// Output:
	// hyperkube amd64 1.36.1..1.36.2 registry.example.com/hyperkube:v{version} -> registry.example.com/hyperkube:v1.36.0
}

func ExampleVector_OverwriteFromEnv() {
	v, err := imagevector.Parse([]byte(pause))
	if err != nil {
		log.Fatal(err)
	}
	// Components of Gardener do this at startup. Without the variable, v is unchanged.
	if v, err = v.OverwriteFromEnv(os.Getenv, imagevector.OverwriteEnv); err != nil {
		log.Fatal(err)
	}
	fmt.Println(v.Len(), "entries")
	// Output:
	// 3 entries
}
