package process

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// FromFiles completes an environment from files: where it has NAME_FILE and no NAME, NAME becomes what the file
// of that path holds, without white space around it. So container runtimes hand over secrets, which in the
// environment itself could be read by whoever may inspect the container. Only the given names are looked for.
func FromFiles(environ []string, names ...string) ([]string, error) {
	var given []string
	var problems []error
	for _, name := range names {
		path, there := lookup(environ, name+"_FILE")
		if !there || path == "" {
			continue
		}
		if _, twice := lookup(environ, name); twice {
			problems = append(problems, fmt.Errorf("%s and %[1]s_FILE are both set: remove one", name))
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s_FILE: %w", name, err))
			continue
		}
		given = append(given, name+"="+strings.TrimSpace(string(content)))
	}
	return slices.Concat(environ, given), errors.Join(problems...)
}

func lookup(environ []string, name string) (value string, there bool) {
	for _, pair := range environ {
		if value, found := strings.CutPrefix(pair, name+"="); found {
			return value, true
		}
	}
	return "", false
}
