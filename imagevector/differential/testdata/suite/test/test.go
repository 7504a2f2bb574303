// Package test sets and resets what Gardener's suite asks it to. The package of
// that name in Gardener imports most of Kubernetes besides.
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
