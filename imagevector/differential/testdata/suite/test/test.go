// Package test sets and resets variables for Gardener's test suite. Gardener's package
// of the same name imports most of Kubernetes.
package test

import (
	"os"
	"reflect"
)

func WithVar(pointer, value any) func() {
	variable := reflect.ValueOf(pointer).Elem()
	old := reflect.ValueOf(variable.Interface())
	variable.Set(reflect.ValueOf(value))
	return func() { variable.Set(old) }
}

func WithEnvVar(name, value string) func() {
	old, was := os.LookupEnv(name)
	os.Setenv(name, value)
	return func() {
		if was {
			os.Setenv(name, old)
		} else {
			os.Unsetenv(name)
		}
	}
}
