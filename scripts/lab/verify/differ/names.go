package differ

import (
	"regexp"
	"time"
)

// names knows which id of the one side stands for which of the other. Each stands for one only.
type names struct {
	there map[string]string
	back  map[string]string
}

func newNames() *names { return &names{map[string]string{}, map[string]string{}} }

// together is how far apart the sides may do the same thing: they are asked at once, and one may be slow.
const together = time.Minute

// own are the parts of a text that are each side's own: ids, times and tracking numbers.
var own = regexp.MustCompile(`[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}` +
	`|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(?:Z|[+-][0-9:]+)` +
	`|\bBN[A-Z2-7]{16}\b`)

// same says whether two texts say the same.
func (n *names) same(a, b string) bool {
	as, bs := own.FindAllStringIndex(a, -1), own.FindAllStringIndex(b, -1)
	if len(as) != len(bs) {
		return false
	}
	afterA, afterB := 0, 0
	for i := range as {
		if a[afterA:as[i][0]] != b[afterB:bs[i][0]] || !n.stands(a[as[i][0]:as[i][1]], b[bs[i][0]:bs[i][1]]) {
			return false
		}
		afterA, afterB = as[i][1], bs[i][1]
	}
	return a[afterA:] == b[afterB:]
}

// stands says whether two own things may stand for each other.
func (n *names) stands(a, b string) bool {
	timeA, timeB, times := bothTimes(a, b)
	if times {
		return timeA.Sub(timeB).Abs() < together && inUTC(a) == inUTC(b)
	}
	if len(a) != len(b) {
		return false
	}
	return n.pair(a, b)
}

// pair notes that a stands for b, unless one of them stands for another already.
func (n *names) pair(a, b string) bool {
	there, knownA := n.there[a]
	back, knownB := n.back[b]
	if !knownA && !knownB {
		n.there[a], n.back[b] = b, a
		return true
	}
	return there == b && back == a
}

func bothTimes(a, b string) (timeA, timeB time.Time, both bool) {
	timeA, errA := time.Parse(time.RFC3339Nano, a)
	timeB, errB := time.Parse(time.RFC3339Nano, b)
	return timeA, timeB, errA == nil && errB == nil
}

func inUTC(text string) bool { return text[len(text)-1] == 'Z' }
