package process

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/caarlos0/env/v11"
)

// Config reads a struct with `env` tags from the environment. Everything that is
// missing or malformed is in the one error, a line each, so that a person fixes
// it in one go. Each variable may also be in a file; see FromFiles.
func Config[T any](environ []string) (T, error) {
	var cfg T
	fields, err := env.GetFieldParams(&cfg)
	if err != nil {
		return cfg, fmt.Errorf("read the environment: %w", err)
	}
	names := make([]string, 0, len(fields))
	for _, field := range fields {
		names = append(names, field.Key)
	}
	if environ, err = FromFiles(environ, names...); err != nil {
		return cfg, err
	}
	cfg, err = env.ParseAsWithOptions[T](env.Options{Environment: env.ToMap(environ)})
	var all env.AggregateError
	if errors.As(err, &all) {
		lines := make([]string, 0, len(all.Errors))
		for _, e := range all.Errors {
			lines = append(lines, "  "+explain[T](e))
		}
		return cfg, fmt.Errorf("the environment is not complete:\n%s", strings.Join(lines, "\n"))
	}
	if err != nil {
		return cfg, fmt.Errorf("read the environment: %w", err)
	}
	return cfg, nil
}

// explain names the variable where the library names the field.
func explain[T any](err error) string {
	var malformed env.ParseError
	if errors.As(err, &malformed) {
		if f, ok := reflect.TypeFor[T]().FieldByName(malformed.Name); ok {
			name, _, _ := strings.Cut(f.Tag.Get("env"), ",")
			return fmt.Sprintf("%s is not acceptable: %v", name, malformed.Err)
		}
	}
	return err.Error()
}
