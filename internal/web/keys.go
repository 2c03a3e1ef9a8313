package web

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// checkKeys refuses what encoding/json lets pass: a field that stands twice in one
// object, of which it takes the last, and one that is spelled in another case than
// the type's. Somebody else who reads the same body, such as a proxy that looks for
// attacks, may see another request in it. The body must be valid JSON.
func checkKeys(body []byte, into any) error {
	known := fieldNames(reflect.TypeOf(into))
	var open []map[string]bool // the keys of each object around this byte; nil is a list
	key := false               // whether the next string is one
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '{':
			open, key = append(open, map[string]bool{}), true
		case '[':
			open, key = append(open, nil), false
		case '}', ']':
			open, key = open[:len(open)-1], false
		case ',':
			key = open[len(open)-1] != nil
		case '"':
			end := i + stringLength(body[i:])
			if key {
				name := unquote(body[i:end])
				seen := open[len(open)-1]
				if known != nil && !known[name] {
					return malformed(name, "is not a field of this request")
				}
				if seen[name] {
					return malformed(name, "must not stand there twice")
				}
				seen[name], key = true, false
			}
			i = end - 1
		}
	}
	return nil
}

// stringLength is that of the JSON string which b begins with, quotes included.
func stringLength(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

// unquote reads a JSON string that is known to be one.
func unquote(b []byte) string {
	if bytes.IndexByte(b, '\\') < 0 {
		return string(b[1 : len(b)-1])
	}
	var s string
	_ = json.Unmarshal(b, &s)
	return s
}

var namesByType sync.Map // reflect.Type → map[string]bool

// fieldNames are the names of all fields of a type, at any depth: the decoder has
// checked already which of them belong where, but for their case. It is nil if the
// type takes names that it does not list.
func fieldNames(t reflect.Type) map[string]bool {
	if found, ok := namesByType.Load(t); ok {
		return found.(map[string]bool)
	}
	names := map[string]bool{}
	if !collectNames(t, names, map[reflect.Type]bool{}) {
		names = nil
	}
	namesByType.Store(t, names)
	return names
}

func collectNames(t reflect.Type, names map[string]bool, done map[reflect.Type]bool) bool {
	if done[t] {
		return true
	}
	done[t] = true
	switch t.Kind() {
	case reflect.Map, reflect.Interface:
		return false
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return collectNames(t.Elem(), names, done)
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if !f.IsExported() && !f.Anonymous || tag == "-" {
				continue
			}
			if tag == "" {
				tag = f.Name
			}
			names[tag] = true
			if !collectNames(f.Type, names, done) {
				return false
			}
		}
	}
	return true
}
