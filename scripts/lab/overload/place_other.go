//go:build !linux

package overload

import (
	"errors"
	"time"
)

var errNoPlaces = errors.New("processes get processors of their own on Linux only")

func pin(int, ...int) error            { return errNoPlaces }
func newQuota(float64) (string, error) { return "", errNoPlaces }
func join(string, int) error           { return errNoPlaces }
func dissolve(string) error            { return nil }
func prefer(int, int)                  {}
func allowed() []int                   { return nil }
func computed() time.Duration          { return 0 }
