package seed

import "fmt"

// Size is how much data there is.
type Size string

// The sizes.
const (
	Small  Size = "small"
	Medium Size = "medium"
	Large  Size = "large"
	Huge   Size = "huge" // for what only shows at size; its orders are never held in memory
)

// Counts are the numbers that make up a size. The member of staff is not among the customers.
type Counts struct {
	Books, Customers, Orders int
}

// ParseSize reads the name of a size.
func ParseSize(name string) (Size, error) {
	switch size := Size(name); size {
	case Small, Medium, Large, Huge:
		return size, nil
	}
	return "", fmt.Errorf("there is no seed size %q: take %s, %s, %s or %s", name, Small, Medium, Large, Huge)
}

// Counts returns what the size means. A size that ParseSize would refuse is small.
func (s Size) Counts() Counts {
	switch s {
	case Medium:
		return Counts{Books: 10_000, Customers: 5 * 2_880, Orders: 5 * 2_592}
	case Large:
		return Counts{Books: 100_000, Customers: 20 * 2_880, Orders: 20 * 2_592}
	case Huge:
		return Counts{Books: 100_000, Customers: 100_000, Orders: 1_000_000}
	}
	return Counts{Books: 1_000, Customers: 1_000, Orders: 4_000}
}
