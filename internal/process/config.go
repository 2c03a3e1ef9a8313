package process

import (
	"errors"
	"fmt"
	"strings"

	"github.com/caarlos0/env/v11"
)

// Config reads a struct with `env` tags from the environment. Everything that is
// missing or malformed is in the one error, a line each, so that a person fixes
// it in one go.
func Config[T any](environ []string) (T, error) {
	cfg, err := env.ParseAsWithOptions[T](env.Options{Environment: env.ToMap(environ)})
	var all env.AggregateError
	if errors.As(err, &all) {
		lines := make([]string, 0, len(all.Errors))
		for _, e := range all.Errors {
			lines = append(lines, "  "+strings.TrimPrefix(e.Error(), "env: "))
		}
		return cfg, fmt.Errorf("the environment is not complete:\n%s", strings.Join(lines, "\n"))
	}
	if err != nil {
		return cfg, fmt.Errorf("read the environment: %w", err)
	}
	return cfg, nil
}
