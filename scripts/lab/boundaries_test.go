package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The lab's layers, from the ground up. A package may import those below it and those beside it in its own folder.
var (
	world = []string{"up", "seed", "wire", "ladder", "gate"} // what runs
	// customers, load, what they ask for, judges, what processes tell, what customers were told, and what moves an area
	tools = []string{"shop", "load", "workload", "invariants", "gauge", "history", "move"}
	// exceptions are what is not as it should be yet. They may only become fewer.
	exceptions = map[string]string{
		"bench/limits": "buy", // the start of a lab is measured until a purchase's receipt has come by mail
	}
)

// TestBoundaries holds the lab to its layers: an experiment owns its schedule and its verdict, so that what it
// shares with another lies below both.
func TestBoundaries(t *testing.T) {
	t.Parallel()
	found := map[string]string{}
	for folder, imports := range importsOf(t) {
		own, _, _ := strings.Cut(folder, "/")
		for _, other := range imports {
			its, _, _ := strings.Cut(other, "/")
			switch {
			case its == own:
			case slices.Contains(world, own):
				require.Contains(t, world, its, "%s is of the world that runs", folder)
			case slices.Contains(tools, own):
				require.Contains(t, slices.Concat(world, tools), its, "%s is what experiments share", folder)
			case !slices.Contains(slices.Concat(world, tools), its):
				found[folder] = other
			}
		}
	}
	require.Equal(t, exceptions, found, "an experiment imports no other one; an exception that is over is to be taken off the list")
}

// importsOf are the packages of the lab that each of its folders imports, tests aside, without the folder of commands.
func importsOf(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		folder := filepath.ToSlash(filepath.Dir(path))
		if entry.Name() == "testdata" {
			return filepath.SkipDir
		}
		if folder == "." || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, one := range file.Imports {
			imported, err := strconv.Unquote(one.Path.Value)
			if err != nil {
				return err
			}
			if other, ours := strings.CutPrefix(imported, "banyan/scripts/lab/"); ours {
				all[folder] = append(all[folder], other)
			}
		}
		return nil
	})
	require.NoError(t, err)
	require.NotEmpty(t, all["shop"])
	return all
}
