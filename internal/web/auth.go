package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"banyan/internal/fault"
	"banyan/internal/token"
)

const identityKey = "identity"

// SignedIn lets a request pass if authenticate knows who sent it, and keeps the
// answer for Identity.
func SignedIn(authenticate func(*http.Request) (token.Identity, error)) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			id, err := authenticate(c.Request())
			if err != nil {
				return err
			}
			c.Set(identityKey, id)
			return next(c)
		}
	}
}

// Identity is who sent the request. Asking on a route without SignedIn is a
// mistake of the program and panics.
func Identity(c echo.Context) token.Identity {
	return c.Get(identityKey).(token.Identity)
}

var errRole = fault.New(fault.Forbidden, "", "Your account may not do this.")

// Only lets a request pass if its sender, known from SignedIn, has the role.
func Only(role string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if Identity(c).Role != role {
				return errRole
			}
			return next(c)
		}
	}
}

// Admit lets a request pass if the check, usually one of token.Admission, does.
func Admit(check func(*http.Request) error) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if err := check(c.Request()); err != nil {
				return err
			}
			return next(c)
		}
	}
}
