// Package apidocs shows an OpenAPI document to people: a front page, the
// document itself, and Swagger UI with its assets embedded.
package apidocs

import (
	"fmt"
	"html"
	"net/http"

	"github.com/labstack/echo/v4"
	"github.com/swaggest/swgui/v5emb"
)

// Register adds GET /, /openapi.yaml and /docs.
func Register(e *echo.Echo, title string, openapi []byte) {
	front := fmt.Sprintf(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>%[1]s</title></head>
<body><h1>%[1]s</h1><ul>
<li><a href="/docs">The API, to read and to try</a></li>
<li><a href="/openapi.yaml">The API as an OpenAPI document</a></li>
</ul></body></html>
`, html.EscapeString(title))
	e.GET("/", func(c echo.Context) error { return c.HTML(http.StatusOK, front) })
	e.GET("/openapi.yaml", func(c echo.Context) error {
		return c.Blob(http.StatusOK, "application/yaml", openapi)
	})
	ui := echo.WrapHandler(v5emb.New(title, "/openapi.yaml", "/docs/"))
	e.GET("/docs", ui)
	e.GET("/docs/*", ui)
}
