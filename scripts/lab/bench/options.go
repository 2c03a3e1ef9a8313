package bench

import (
	"errors"
	"fmt"
	"io"
	"time"

	"banyan/scripts/lab/workload"
)

// Options say what to measure, and how much.
type Options struct {
	// Steps of the ladder; none: those that run, the façade aside.
	Steps []int
	Mixes []workload.Mix
	// Pages also compares interactions one by one.
	Pages bool
	// Checkouts compares the page that buys, if Pages does not.
	Checkouts bool

	Length time.Duration // of a round of the closed loop
	Rounds int           // per mix and side, if there is time
	// MostRounds are played while the range of a ratio is wide; zero: never more than Rounds.
	MostRounds int
	// Within is how long the whole run of two sides may take; more sides get more. Zero: as long as it needs.
	Within time.Duration
	// Browsers per side, each with one connection. Zero takes the number of the sweep at which the sides together did best.
	Browsers int
	// Sweep are the numbers of browsers that are tried; none: only Browsers.
	Sweep       []int
	SweepLength time.Duration
	// Think is the mean time that a customer thinks between two interactions of a closed loop.
	Think time.Duration

	// Open are the rates of the open loop, as shares of what the slowest side can do. Every side is asked at the same rate.
	Open            []float64
	OpenRounds      int
	OpenLength      time.Duration
	OpenConnections int
	// Forget waits before the open loop of each mix until no side remembers an answer.
	Forget bool

	Customers int // who are signed in beforehand, per side
	// WithLogins makes Customer Registration register and sign in, passwords hashed and all.
	WithLogins bool
	// Seed of what chance decides.
	Seed uint64

	Out io.Writer // is told the progress
	Raw io.Writer // gets a line of JSON per round; nil: nobody wants them
}

// Standard measures the two ends of the ladder for some minutes.
func Standard() Options {
	return Options{
		Mixes: workload.Mixes, Length: 4 * time.Second, Rounds: 5,
		Sweep: []int{4, 8, 16, 32, 64}, SweepLength: 1500 * time.Millisecond,
		Open: []float64{0.5, 0.7}, OpenRounds: 2, OpenLength: 4 * time.Second, OpenConnections: 64, Forget: true,
		Customers: 500, Seed: 1, Out: io.Discard,
	}
}

// Full is everything that there is to measure.
func Full() Options {
	o := Standard()
	o.Steps, o.Pages = []int{0, 1, 8}, true
	return o
}

// Quick says which way things go, and how sure that is, in two minutes at most.
func Quick() Options {
	o := Standard()
	o.Length, o.Rounds, o.MostRounds, o.Within = 1500*time.Millisecond, fewestRounds, 16, 2*time.Minute
	o.Browsers, o.Sweep = 16, nil
	o.Open, o.OpenRounds, o.OpenLength, o.Forget = []float64{0.5}, 1, 2*time.Second, false
	o.Customers = 64
	return o
}

// warmUp is how long a side is asked before its rounds of a mix. It belongs to no figure.
func (o Options) warmUp() time.Duration { return min(o.Length/2, 2*time.Second) }

// Pages are single interactions, measured one by one to see where the sides differ. Home, New Products and Product
// Detail are catalog's alone and the cart is that of orders: pages that one service serves.
var Pages = []workload.Mix{
	workload.Only(workload.Home), workload.Only(workload.NewProducts), workload.Only(workload.ProductDetail),
	workload.Only(workload.SearchResults), workload.Only(workload.BuyRequest), workload.Only(workload.BuyConfirm),
}

// ofOneService are the pages that the gateway gets from one service, which asks no other.
var ofOneService = []workload.Interaction{
	workload.Home, workload.NewProducts, workload.ProductDetail, workload.SearchResults, workload.BuyRequest,
}

// pages are the single interactions to compare.
func (o Options) pages() []workload.Mix {
	switch {
	case o.Pages:
		return Pages
	case o.Checkouts:
		return []workload.Mix{workload.Only(workload.BuyConfirm)}
	}
	return nil
}

// pageLength is that of a round of one page, which needs less time than a mix of fourteen.
func (o Options) pageLength() time.Duration { return min(o.Length, 3*time.Second) }

// load is how long each side is under load in the whole run.
func (o Options) load() time.Duration {
	perMix := o.warmUp() + time.Duration(max(o.Rounds, o.MostRounds))*o.Length + time.Duration(len(o.Sweep))*o.SweepLength +
		time.Duration(len(o.Open)*o.OpenRounds)*o.OpenLength
	sum := time.Duration(len(o.Mixes)) * perMix
	return sum + time.Duration(len(o.pages()))*(o.warmUp()+pageRounds*o.pageLength())
}

// openLoop is about how long the open loop of a mix takes, the rest after each round included.
func (o Options) openLoop(sides int) time.Duration {
	return time.Duration(sides*len(o.Open)*o.OpenRounds) * (o.OpenLength + time.Second)
}

// connections is the highest number of browsers at a time.
func (o Options) connections() int {
	most := o.Browsers
	for _, n := range o.Sweep {
		most = max(most, n)
	}
	if len(o.Open) > 0 {
		most = max(most, o.OpenConnections)
	}
	return most
}

// Validate says what is wrong with the options, if anything is.
func (o Options) Validate() error {
	switch {
	case len(o.Mixes) == 0:
		return errors.New("there is no mix to measure")
	case o.Length < 100*time.Millisecond || o.Length > time.Hour:
		return errors.New("a round takes 0.1 seconds at least and an hour at most")
	case o.Rounds < 1:
		return errors.New("there has to be one round at least")
	case o.MostRounds != 0 && o.MostRounds < o.Rounds:
		return errors.New("the most rounds cannot be fewer than the least")
	case o.Within < 0:
		return errors.New("a run cannot end before it begins")
	case o.Browsers < 0 || o.Browsers == 0 && len(o.Sweep) == 0:
		return errors.New("there has to be one browser at least")
	case o.connections() > o.Customers:
		return fmt.Errorf("%d browsers need a customer each, and there are %d", o.connections(), o.Customers)
	case o.Think < 0 || o.Think > time.Minute:
		return errors.New("customers think for up to a minute")
	case len(o.Sweep) > 0 && o.SweepLength < 100*time.Millisecond:
		return errors.New("a point of the sweep takes 0.1 seconds at least")
	case len(o.Open) > 0 && (o.OpenRounds < 1 || o.OpenLength < 100*time.Millisecond || o.OpenConnections < 1):
		return errors.New("an open loop needs a round of 0.1 seconds at least, and a connection")
	}
	for _, n := range o.Sweep {
		if n < 1 {
			return errors.New("there has to be one browser at least")
		}
	}
	for _, share := range o.Open {
		if share <= 0 || share > 1 {
			return fmt.Errorf("an open loop runs at a share of what the slowest side can do, between 0 and 1, not at %g", share)
		}
	}
	return nil
}
