package bench

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"banyan/scripts/lab/up"
)

// reportName is what a report's folder may be called.
var reportName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// CheckName says whether a report may have this name.
func CheckName(name string) error {
	if !reportName.MatchString(name) {
		return fmt.Errorf("a report cannot be called %q: small letters, digits and dashes make a name", name)
	}
	return nil
}

// Save writes the report with its pictures and the raw lines to docs/benchmarks/NAME, in the place of an earlier one.
// What somebody has written in notes.md there, why a budget was missed for instance, becomes a part of it. The
// folder is returned.
func (r *Report) Save(name string, raw []byte) (folder string, err error) {
	if err := CheckName(name); err != nil {
		return "", err
	}
	root, err := up.Root()
	if err != nil {
		return "", err
	}
	folder = filepath.Join(root, "docs", "benchmarks", name)
	return folder, r.saveTo(folder, name, raw)
}

func (r *Report) saveTo(folder, name string, raw []byte) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("make the report's folder: %w", err)
	}
	notes, err := os.ReadFile(filepath.Join(folder, "notes.md"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read the report's notes: %w", err)
	}
	files := map[string][]byte{}
	drawn := map[string]bool{}
	for _, p := range r.pictures() {
		svg, err := p.svg()
		if err != nil {
			return fmt.Errorf("draw %s: %w", p.file, err)
		}
		files[p.file], drawn[p.file] = svg, true
	}
	for _, annex := range r.Annexes {
		for file, svg := range annex.Pictures {
			files[file] = svg
		}
	}
	files["report.md"] = []byte(r.Markdown(name, drawn, string(notes)))
	if files["raw.jsonl.gz"], err = zip(raw); err != nil {
		return err
	}
	for file, content := range files {
		if err := os.WriteFile(filepath.Join(folder, file), content, 0o644); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	return nil
}

func zip(content []byte) ([]byte, error) {
	var packed bytes.Buffer
	to := gzip.NewWriter(&packed)
	if _, err := to.Write(content); err != nil {
		return nil, err
	}
	err := to.Close()
	return packed.Bytes(), err
}
