//go:build !linux

package overload

import "errors"

func pin(int, ...int) error { return errors.New("processes can be pinned on Linux only") }

func allowed() []int { return nil }
