package cmd

import (
	"slices"
	"strings"

	"github.com/hyperkube/hyperkube/tools/internal/checkout"
	"github.com/hyperkube/hyperkube/tools/internal/cli"
	"github.com/hyperkube/hyperkube/versions"
	"github.com/spf13/cobra"
)

// completeFrom completes values that come from the catalog, each up to the next
// slash where it has one.
func completeFrom(env cli.Env, values func(*versions.Catalog) []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
		d, err := checkout.Open(env.Dir)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		var found []cobra.Completion
		directive := cobra.ShellCompDirectiveNoFileComp
		for _, v := range values(d.Catalog) {
			if !strings.HasPrefix(v, prefix) {
				continue
			}
			if i := strings.IndexByte(v[len(prefix):], '/'); i >= 0 {
				v = v[:len(prefix)+i+1]
				directive |= cobra.ShellCompDirectiveNoSpace
			}
			if !slices.Contains(found, v) {
				found = append(found, v)
			}
		}
		return found, directive
	}
}

// completeImage completes one IMAGE.
func completeImage(env cli.Env) cobra.CompletionFunc { return firstArgument(completeImages(env)) }

// completeImages completes any number of IMAGEs.
func completeImages(env cli.Env) cobra.CompletionFunc {
	return completeFrom(env, func(c *versions.Catalog) []string {
		var names []string
		for _, image := range c.Images {
			names = append(names, image.Name())
		}
		return names
	})
}

// completeKey completes one KEY of the lock.
func completeKey(env cli.Env) cobra.CompletionFunc {
	return firstArgument(completeFrom(env, func(c *versions.Catalog) []string {
		var keys []string
		for _, pin := range c.Lock.Pins() {
			keys = append(keys, pin.FileKey.String())
		}
		for _, pin := range c.Lock.AllPackages() {
			keys = append(keys, pin.Key())
		}
		return keys
	}))
}

// completeFixed completes the values of a flag from a list.
func completeFixed(c *cobra.Command, flag string, values []string) {
	complete(c, flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// complete completes the values of a flag.
func complete(c *cobra.Command, flag string, f cobra.CompletionFunc) {
	if err := c.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic(err) // the command has no such flag
	}
}

// firstArgument completes the first argument only.
func firstArgument(f cobra.CompletionFunc) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return f(c, args, prefix)
	}
}
