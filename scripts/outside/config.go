package main

import (
	"errors"
	"fmt"
	"strings"

	"banyan/internal/process"
)

// Config is what the environment says.
type Config struct {
	Addr       string
	SMTPAddr   string
	LedgerFile string
	Merchants  merchants
}

// merchants finds the name of a merchant by its secret key.
type merchants map[string]string

// parseConfig reads "NAME=value" pairs. The merchants' keys may be in a file, MERCHANTS_FILE. Everything missing
// or malformed is reported together.
func parseConfig(environ []string) (Config, error) {
	environ, err := process.FromFiles(environ, "MERCHANTS")
	if err != nil {
		return Config{}, err
	}
	values := map[string]string{"ADDR": "127.0.0.1:8100", "SMTP_ADDR": "127.0.0.1:8125"}
	for _, pair := range environ {
		if name, value, _ := strings.Cut(pair, "="); value != "" {
			values[name] = value
		}
	}
	var problems []error
	for _, name := range []string{"LEDGER_FILE", "MERCHANTS"} {
		if values[name] == "" {
			problems = append(problems, fmt.Errorf("%s is not set", name))
		}
	}
	known, err := parseMerchants(values["MERCHANTS"])
	if err != nil {
		problems = append(problems, err)
	}
	return Config{
		Addr:       values["ADDR"],
		SMTPAddr:   values["SMTP_ADDR"],
		LedgerFile: values["LEDGER_FILE"],
		Merchants:  known,
	}, errors.Join(problems...)
}

// parseMerchants reads "name=key,name=key". Errors name the merchant and never show a key.
func parseMerchants(text string) (merchants, error) {
	known := merchants{}
	named := map[string]bool{}
	var problems []error
	for i, entry := range strings.Split(text, ",") {
		if text == "" {
			break
		}
		name, key, _ := strings.Cut(strings.TrimSpace(entry), "=")
		switch {
		case name == "" || key == "":
			problems = append(problems, fmt.Errorf("MERCHANTS: entry %d is not name=key", i+1))
		case named[name]:
			problems = append(problems, fmt.Errorf("MERCHANTS: %s is there twice", name))
		case known[key] != "":
			problems = append(problems, fmt.Errorf("MERCHANTS: %s and %s have the same key", known[key], name))
		default:
			named[name] = true
			known[key] = name
		}
	}
	return known, errors.Join(problems...)
}

// named says whether a merchant of that name is known.
func (m merchants) named(name string) bool {
	for _, known := range m {
		if known == name {
			return true
		}
	}
	return false
}
