package local

import (
	"io"
	"os"
)

// fileSize is the present length of a file, zero if there is none.
func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// tail is what was written to a log after an offset, its last two kilobytes at most.
func tail(path string, from int64) string {
	file, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	from = max(from, fileSize(path)-2048)
	content, err := io.ReadAll(io.NewSectionReader(file, from, 2048))
	if err != nil {
		return err.Error()
	}
	return string(content)
}
