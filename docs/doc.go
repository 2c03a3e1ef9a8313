// Package docs is the project's pages; its tests hold them to the code, to the benchmark's report and to the files that
// they quote and link.
package docs
