package main

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"banyan/internal/fault"
	"banyan/internal/money"
	"banyan/internal/web"
)

// How old an answer may be. The contract allows a second for lists and 30 for
// bestsellers; what is left over is for the request itself.
const (
	listAge       = 500 * time.Millisecond
	bestsellerAge = 25 * time.Second
)

// Register adds the catalog's routes.
func Register(g *echo.Group, s *Service, signedIn echo.MiddlewareFunc) {
	h := &handler{
		catalog:     s,
		lists:       web.NewMemo(listAge, 1000),
		bestsellers: web.NewMemo(bestsellerAge, 100),
	}
	staff := web.Only("staff")
	g.GET("/v1/books", h.list)
	g.GET("/v1/books/bestsellers", h.listBestsellers)
	g.GET("/v1/books/:id", h.show)
	g.POST("/v1/books", h.add, signedIn, staff)
	g.PATCH("/v1/books/:id", h.change, signedIn, staff)
}

type handler struct {
	catalog     *Service
	lists       *web.Memo
	bestsellers *web.Memo
}

func (h *handler) list(c echo.Context) error {
	ids, err := web.QueryIDs(c, "ids", 100)
	if err != nil {
		return err
	}
	if ids != nil {
		for _, other := range []string{"q", "subject", "sort", "cursor", "limit"} {
			if c.QueryParam(other) != "" {
				return invalid("ids", "cannot be combined with "+other)
			}
		}
		books, err := h.catalog.Books(c.Request().Context(), ids)
		if err != nil {
			return err
		}
		return c.JSON(http.StatusOK, web.List[Book]{Items: books})
	}
	q, err := search(c)
	if err != nil {
		return err
	}
	return h.lists.JSON(c, q.key(), func(ctx context.Context) (any, error) {
		books, err := h.catalog.Search(ctx, q)
		if err != nil {
			return nil, err
		}
		return web.Page("books", books, q.Limit, func(last found) any { return last.position(q.Sort) }), nil
	})
}

func search(c echo.Context) (q Search, err error) {
	q = Search{Words: web.QueryText(c, "q"), Subject: web.QueryText(c, "subject"), Sort: c.QueryParam("sort")}
	if q.Sort == "" {
		q.Sort = "title"
	}
	if q.Limit, err = web.Limit(c); err != nil {
		return q, err
	}
	var after Position
	paged, err := web.Cursor(c, "books", &after)
	if err != nil {
		return q, err
	}
	if paged {
		q.After = &after
	}
	return q, q.Validate()
}

func (h *handler) listBestsellers(c echo.Context) error {
	subject := web.QueryText(c, "subject")
	return h.bestsellers.JSON(c, subject, func(ctx context.Context) (any, error) {
		books, err := h.catalog.Bestsellers(ctx, subject)
		if err != nil {
			return nil, err
		}
		return web.List[Bestseller]{Items: books}, nil
	})
}

func (h *handler) show(c echo.Context) error {
	id, err := web.PathID(c, "id")
	if err != nil {
		return err
	}
	b, err := h.catalog.Book(c.Request().Context(), id)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, b)
}

// newBook is a book as staff send it.
type newBook struct {
	ISBN        string      `json:"isbn"`
	Title       string      `json:"title"`
	Authors     []string    `json:"authors"`
	Subject     string      `json:"subject"`
	Publisher   *string     `json:"publisher"`
	PublishedOn *string     `json:"published_on"`
	Description *string     `json:"description"`
	Price       money.Money `json:"price"`
}

func (h *handler) add(c echo.Context) error {
	var req newBook
	if err := web.Bind(c, &req); err != nil {
		return err
	}
	b, err := h.catalog.Add(c.Request().Context(), Book{
		ISBN: req.ISBN, Title: req.Title, Authors: req.Authors, Subject: req.Subject,
		Publisher: req.Publisher, PublishedOn: req.PublishedOn, Description: req.Description, Price: req.Price,
	})
	if err != nil {
		return err
	}
	h.lists.Forget()
	c.Response().Header().Set(echo.HeaderLocation, "/v1/books/"+b.ID.String())
	return answer(c, http.StatusCreated, b)
}

func (h *handler) change(c echo.Context) error {
	id, err := web.PathID(c, "id")
	if err != nil {
		return err
	}
	var patch Patch
	if err := web.BindAs(c, &patch, "application/merge-patch+json", "application/json"); err != nil {
		return err
	}
	b, err := h.catalog.Change(c.Request().Context(), id, patch, ifMatch(c.Request().Header))
	if err != nil {
		return err
	}
	h.lists.Forget()
	return answer(c, http.StatusOK, b)
}

// ifMatch reads the versions that the client has seen; nil stands for any. A
// tag that is none of ours matches no version.
func ifMatch(h http.Header) []int {
	tags := strings.Join(h.Values("If-Match"), ",")
	if tags == "" || strings.TrimSpace(tags) == "*" {
		return nil
	}
	seen := []int{}
	for tag := range strings.SplitSeq(tags, ",") {
		if version, err := strconv.Atoi(strings.Trim(tag, ` "`)); err == nil && etag(version) == strings.TrimSpace(tag) {
			seen = append(seen, version)
		}
	}
	return seen
}

func etag(version int) string { return strconv.Quote(strconv.Itoa(version)) }

func answer(c echo.Context, status int, b Book) error {
	c.Response().Header().Set("ETag", etag(b.Version))
	return c.JSON(status, b)
}

func invalid(field, detail string) error {
	return fault.New(fault.Invalid, "", "Some of the input is not acceptable.").
		WithFields(fault.Field{Name: field, Detail: detail})
}
