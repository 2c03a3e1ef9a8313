package web_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"banyan/internal/web"
)

// machine is a shop with some processors, for which requests wait in turn. Besides computing, an answer may wait for
// somebody else, which takes no processor.
type machine struct {
	processors chan struct{}
	door       http.Handler
	compute    time.Duration
	wait       map[string]time.Duration // by path

	mu      sync.Mutex
	served  map[string][]time.Duration // by path, how long each took
	refused map[string]int
}

func newMachine(processors int, compute time.Duration) *machine {
	m := &machine{processors: make(chan struct{}, processors), compute: compute, wait: map[string]time.Duration{}}
	m.door = web.NewDoor(4096, "/v1/books", "/v1/cart", "/v1/orders").Guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.processors <- struct{}{}
		time.Sleep(compute)
		<-m.processors
		time.Sleep(m.wait[r.URL.Path])
	}))
	m.forget()
	return m
}

func (m *machine) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.served, m.refused = map[string][]time.Duration{}, map[string]int{}
}

// capacity is how many answers a second the processors make.
func (m *machine) capacity() float64 { return float64(cap(m.processors)) / m.compute.Seconds() }

// ask asks for each path at its rate, a second, for some time, as customers come: by chance. It waits for all answers.
func (m *machine) ask(during time.Duration, rates map[string]float64) {
	var all sync.WaitGroup
	for path, rate := range rates {
		all.Go(func() {
			chance := rand.New(rand.NewPCG(2026, uint64(len(path))))
			for end := time.Now().Add(during); ; {
				time.Sleep(time.Duration(chance.ExpFloat64() / rate * float64(time.Second)))
				if !time.Now().Before(end) {
					return
				}
				all.Go(func() { m.one(path) })
			}
		})
	}
	all.Wait()
}

func (m *machine) one(path string) {
	began, w := time.Now(), httptest.NewRecorder()
	m.door.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	m.mu.Lock()
	defer m.mu.Unlock()
	if w.Code == http.StatusOK {
		m.served[path] = append(m.served[path], time.Since(began))
		return
	}
	m.refused[path]++
}

// times multiplies rates.
func times(factor float64, rates map[string]float64) map[string]float64 {
	all := map[string]float64{}
	for path, rate := range rates {
		all[path] = factor * rate
	}
	return all
}

const (
	bookPath  = "/v1/books/1"
	cartPath  = "/v1/cart"
	orderPath = "/v1/orders"
)

// TestLimits asks machines of all sizes for more than they can do. None is told how large it is.
func TestLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		processors int
		compute    time.Duration
	}{{1, time.Millisecond}, {2, 16 * time.Millisecond}, {4, 4 * time.Millisecond}, {16, 8 * time.Millisecond}} {
		t.Run(fmt.Sprintf("%d processors that take %v each keep busy at five times what they can do", c.processors, c.compute), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMachine(c.processors, c.compute)
				mix := times(m.capacity(), map[string]float64{bookPath: .6, cartPath: .3, orderPath: .1})
				m.ask(5*time.Second, times(.5, mix))
				require.Empty(t, m.refused, "in quiet times")

				m.ask(2*time.Second, times(5, mix)) // it is noticed, and the crowd goes
				m.forget()
				m.ask(4*time.Second, times(5, mix))
				served, all := 0, []time.Duration{}
				for path, rate := range mix {
					served += len(m.served[path])
					all = append(all, m.served[path]...)
					require.InDelta(t, 1, float64(len(m.served[path]))/(4*rate), .4, "%s keeps its share", path)
				}
				require.Greater(t, float64(served), .95*4*m.capacity())
				slices.Sort(all)
				require.LessOrEqual(t, all[len(all)/2], max(10*c.compute, 16*c.compute/time.Duration(c.processors)), "few wait for few")
			})
		})
	}
	t.Run("a neighbour that dawdles is not taken for overload", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := newMachine(2, 2*time.Millisecond)
			mix := times(m.capacity(), map[string]float64{bookPath: .3, cartPath: .15, orderPath: .05})
			m.ask(5*time.Second, mix)
			m.wait[orderPath] = 3 * time.Second
			m.ask(10*time.Second, mix)
			require.Zero(t, m.refused[bookPath])
			require.Zero(t, m.refused[cartPath])
		})
	})
	t.Run("a rush for one thing is paid by those who ask for it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := newMachine(2, 2*time.Millisecond)
			mix := times(m.capacity(), map[string]float64{bookPath: .3, cartPath: .15, orderPath: .05})
			m.ask(30*time.Second, mix)
			rush := times(1, mix)
			rush[bookPath] = 5 * m.capacity()
			m.ask(time.Second, rush)
			m.forget()
			m.ask(4*time.Second, rush)
			for _, path := range []string{cartPath, orderPath} {
				require.Less(t, float64(m.refused[path]), .2*float64(len(m.served[path])+m.refused[path]), path)
			}
			require.Greater(t, m.refused[bookPath], len(m.served[bookPath]))
		})
	})
	t.Run("a machine that has seen nothing yet finds them, too", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := newMachine(8, 4*time.Millisecond)
			mix := times(5*m.capacity(), map[string]float64{bookPath: .6, cartPath: .3, orderPath: .1})
			m.ask(3*time.Second, mix)
			m.forget()
			m.ask(2*time.Second, mix)
			served := 0
			for path := range mix {
				served += len(m.served[path])
			}
			require.Greater(t, float64(served), .9*2*m.capacity())
		})
	})
}
