package web

import (
	"reflect"

	"github.com/labstack/echo/v4"
	"golang.org/x/text/unicode/norm"
)

// QueryText reads a query parameter that is text, in NFC; absent is "".
func QueryText(c echo.Context, name string) string { return norm.NFC.String(c.QueryParam(name)) }

// normalise puts every text of a body that was read into NFC. An é can be one
// character or an e and an accent; a reader can't tell them apart, so the shop must
// not either, wherever it keeps, compares or counts text. A field with the tag
// text:"verbatim" stays as it was sent: every byte of a password or a token counts.
func normalise(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(norm.NFC.String(v.String()))
	case reflect.Pointer:
		if !v.IsNil() {
			normalise(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			normalise(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Tag.Get("text") != "verbatim" {
				normalise(v.Field(i))
			}
		}
	}
}
