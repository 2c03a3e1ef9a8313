package ledger

import (
	"context"
	"fmt"
	"io"
)

// Options say how much to measure.
type Options struct {
	Rounds    int // 3 if zero
	Checkouts int // per variant and round; 200 if zero
	Pages     int // likewise; 1,000 if zero
	// Out is told the progress; nil is silent.
	Out io.Writer
}

// Report is both ledgers.
type Report struct {
	Page     *Ledger `json:"page"`
	Checkout *Ledger `json:"checkout"`
}

// programs are those that something is cut out of.
var programs = []struct {
	name, of string
	cuts     []cut
}{
	{"monolith-no-processor", "./monolith", []cut{processorCut}},
	{"monolith-no-mail", "./monolith", []cut{mailCut}},
	{"orders-more-hops", "./services/orders", []cut{moreHops}},
	{"orders-more-json", "./services/orders", []cut{moreEncoding}},
	{"inventory-more-json", "./services/inventory", []cut{moreDecoding}},
	{"payments-more-json", "./services/payments", []cut{moreDecoding}},
	{"orders-more-tokens", "./services/orders", []cut{moreSigning, moreUsers}},
	{"inventory-more-tokens", "./services/inventory", []cut{moreAdmission}},
	{"payments-more-tokens", "./services/payments", []cut{moreAdmission}},
	{"orders-no-outbox", "./services/orders", []cut{queueCut}},
	{"inventory-no-outbox", "./services/inventory", []cut{tellCut}},
	{"payments-no-outbox", "./services/payments", []cut{queueCut}},
	{"orders-no-reserve", "./services/orders", []cut{queueCut, reserveCut}},
	{"orders-no-calls", "./services/orders", []cut{queueCut, reserveCut, chargeCut}},
}

// The variants of a checkout. Those of the services each leave out one more thing than the one before, but for the
// three that do something more often than the one without a broker.
const (
	monolith    = "monolith"
	noProcessor = "monolith that does not ask the card processor"
	noMail      = "monolith that does not hand mail over"
	facade      = "monolith behind the gateway"
	services    = "services"
	noSales     = "services, catalog stopped"
	noMessages  = "… and notifications stopped"
	noParcels   = "… and shipping stopped"
	noEvents    = "… and the broker stopped"
	hops        = "… and ten calls more that say nothing"
	encodings   = "… and what orders says to its neighbours encoded and decoded ten times more"
	tokens      = "… and all tokens made and checked ten times more"
	noOutbox    = "… and the outbox rows cut out of orders, inventory and payments"
	noReserve   = "… and the call of inventory cut out of orders"
	noCalls     = "… and the call of payments cut out of orders"
)

var (
	calls     = less(noOutbox, noCalls, 1)
	processor = less(monolith, noProcessor, 1)
	twoHops   = less(hops, noEvents, times/2)
	encoding  = less(encodings, noEvents, times)
	keys      = less(tokens, noEvents, times)
)

// checkoutSteps are the ledger of a checkout.
var checkoutSteps = []difference{
	{"gateway", "the monolith behind the gateway, and asked directly", less(facade, monolith, 1)},
	{"two hops, to inventory and to payments", "ten calls that say nothing added to orders; a fifth of what they cost", twoHops},
	{"JSON of the two calls", "bodies encoded and decoded ten times more; a tenth of it", encoding},
	{"tokens", "those of the customer and of the services made and checked ten times more in orders, inventory and payments; a tenth of it", keys},
	{"transactions in inventory and payments", "both calls cut out of orders; less the three above, and less what the call of the card processor " +
		"costs the monolith as well, where it was cut out, too", minus(calls, processor, twoHops, encoding, keys)},
	{"outbox rows", "the statements cut out of orders, inventory and payments, while there is no broker", less(noEvents, noOutbox, 1)},
	{"relays, broker, other consumers", "the broker stopped, too", less(noParcels, noEvents, 1)},
	{"shipping, by event", "shipping stopped", less(noMessages, noParcels, 1)},
	{"mail, by event", "notifications stopped; less what handing over mail costs the monolith as well, where it was cut out",
		minus(less(noSales, noMessages, 1), less(monolith, noMail, 1))},
	{"recent sales, by event", "catalog stopped", less(services, noSales, 1)},
}

const catalogAlone = "catalog asked directly"

// pageSteps are the ledger of a book page.
var pageSteps = []difference{
	{"gateway", "the monolith behind the gateway, and asked directly", less(facade, monolith, 1)},
	{"catalog, a process of its own", "catalog asked directly, and the monolith", less(catalogAlone, monolith, 1)},
}

// Run measures both in a lab of its own, which takes some three minutes on a quiet machine.
func Run(ctx context.Context, options Options) (*Report, error) {
	options.complete()
	pages, checkouts := map[string][]Cost{}, map[string][]Cost{}
	err := with(ctx, options, func(ctx context.Context, w *world) error {
		for round := range options.Rounds {
			w.say("round %d of %d", round+1, options.Rounds)
			if err := w.measurePages(ctx, pages); err != nil {
				return err
			}
			if err := w.measureCheckouts(ctx, checkouts); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	report := &Report{}
	if report.Page, err = draw("one book page", monolith, services, pages, pageSteps); err != nil {
		return nil, err
	}
	if report.Checkout, err = draw("one checkout", monolith, services, checkouts, checkoutSteps); err != nil {
		return nil, err
	}
	note := "Medians of %d rounds of %d, one after the other; CPU is that of all processes of the lab and of all that follows, less what an idle lab uses. " +
		"synchronous_commit is on, NATS syncs at its default interval."
	report.Page.Notes = []string{fmt.Sprintf(note, options.Rounds, options.Pages)}
	report.Checkout.Notes = []string{
		fmt.Sprintf(note, options.Rounds, options.Checkouts),
		fmt.Sprintf("Carts of %d books; sessions are remembered on both sides, as after a customer's first request.", cartBooks),
		"The shop has no tracing but the trace's id, which is passed on: there is nothing to switch.",
		"Unexplained is what remains of the services when all of the above is gone, less the monolith: the saga's state in orders, " +
			"less what the monolith's transactions do for the areas that orders no longer has.",
	}
	return report, nil
}

func (o *Options) complete() {
	if o.Rounds == 0 {
		o.Rounds = 3
	}
	if o.Checkouts == 0 {
		o.Checkouts = 200
	}
	if o.Pages == 0 {
		o.Pages = 1000
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
}

func (w *world) measurePages(ctx context.Context, into map[string][]Cost) error {
	for _, v := range []struct{ name, base string }{
		{monolith, w.lab.MonolithURL()}, {facade, w.lab.FacadeURL()},
		{catalogAlone, w.lab.Process("catalog").URL}, {services, w.lab.GatewayURL()},
	} {
		warmUp, err := w.pages(v.base, w.options.Pages/5)
		if err != nil {
			return err
		}
		if _, err := w.meter.measure(ctx, v.base, warmUp); err != nil {
			return fmt.Errorf("%s: %w", v.name, err)
		}
		requests, err := w.pages(v.base, w.options.Pages)
		if err != nil {
			return err
		}
		cost, err := w.meter.measure(ctx, v.base, requests)
		if err != nil {
			return fmt.Errorf("%s: %w", v.name, err)
		}
		w.note(into, "page", v.name, cost)
	}
	return nil
}

// measureCheckouts goes through all variants once and leaves the lab as it was.
func (w *world) measureCheckouts(ctx context.Context, into map[string][]Cost) error {
	stop := func(process string) func(context.Context) error {
		return func(ctx context.Context) error { return w.lab.Process(process).Stop(ctx) }
	}
	// swap lets processes go on as other programs; what each is called follows its name.
	swap := func(variant string, processes ...string) func(context.Context) error {
		return func(ctx context.Context) error {
			for _, process := range processes {
				if err := w.swap(ctx, process, process+variant); err != nil {
					return err
				}
			}
			return nil
		}
	}
	three := []string{"orders", "inventory", "payments"}
	nothing := func(context.Context) error { return nil }
	for _, v := range []struct {
		name, schema, base string
		change             func(context.Context) error
	}{
		{monolith, "monolith", w.lab.MonolithURL(), nothing},
		{facade, "monolith", w.lab.FacadeURL(), nothing},
		{noProcessor, "monolith", w.lab.MonolithURL(), swap("-no-processor", "monolith")},
		{noMail, "monolith", w.lab.MonolithURL(), swap("-no-mail", "monolith")},
		{services, "orders", w.lab.GatewayURL(), swap("", "monolith")},
		{noSales, "orders", w.lab.GatewayURL(), stop("catalog")},
		{noMessages, "orders", w.lab.GatewayURL(), stop("notifications")},
		{noParcels, "orders", w.lab.GatewayURL(), stop("shipping")},
		{noEvents, "orders", w.lab.GatewayURL(), stop("nats")},
		{hops, "orders", w.lab.GatewayURL(), swap("-more-hops", "orders")},
		{encodings, "orders", w.lab.GatewayURL(), swap("-more-json", three...)},
		{tokens, "orders", w.lab.GatewayURL(), swap("-more-tokens", three...)},
		{noOutbox, "orders", w.lab.GatewayURL(), swap("-no-outbox", three...)},
		{noReserve, "orders", w.lab.GatewayURL(), swap("-no-reserve", "orders")},
		{noCalls, "orders", w.lab.GatewayURL(), swap("-no-calls", "orders")},
	} {
		if err := v.change(ctx); err != nil {
			return fmt.Errorf("%s: %w", v.name, err)
		}
		cost, err := w.measureCheckout(ctx, v.schema, v.base)
		if err != nil {
			return fmt.Errorf("%s: %w", v.name, err)
		}
		w.note(into, "checkout", v.name, cost)
	}
	return w.restore(ctx)
}

// measureCheckout buys once per customer, after some have bought unmeasured: a process that has just started is slow.
func (w *world) measureCheckout(ctx context.Context, schema, base string) (Cost, error) {
	if err := w.fillCarts(ctx, schema); err != nil {
		return Cost{}, err
	}
	if err := w.lookAtCarts(ctx, base); err != nil {
		return Cost{}, err
	}
	warmUp, err := w.checkouts(base)
	if err != nil {
		return Cost{}, err
	}
	if _, err := w.meter.measure(ctx, base, warmUp[:len(warmUp)/4]); err != nil {
		return Cost{}, err
	}
	if err := w.fillCarts(ctx, schema); err != nil {
		return Cost{}, err
	}
	requests, err := w.checkouts(base)
	if err != nil {
		return Cost{}, err
	}
	return w.meter.measure(ctx, base, requests)
}

// restore undoes what the variants have changed. What orders had to tell without a broker is forgotten: no reservation and
// no charge belongs to it, so its hearers would wait for them for ever.
func (w *world) restore(ctx context.Context) error {
	if err := w.lab.Process("orders").Stop(ctx); err != nil {
		return err
	}
	if _, err := w.owners["orders"].Exec(ctx, `delete from outbox where stream_seq is null`); err != nil {
		return err
	}
	if err := w.lab.Process("nats").Restart(ctx); err != nil {
		return err
	}
	for _, process := range []string{"catalog", "notifications", "shipping"} {
		if err := w.lab.Process(process).Restart(ctx); err != nil {
			return err
		}
	}
	for _, process := range []string{"orders", "inventory", "payments"} {
		if err := w.swap(ctx, process, process); err != nil {
			return err
		}
	}
	_, err := w.meter.rest(ctx)
	return err
}

func (w *world) note(into map[string][]Cost, thing, variant string, cost Cost) {
	into[variant] = append(into[variant], cost)
	w.say("  %s, %s: CPU %.2f ms, latency %.2f ms", thing, variant, cost.CPU/1000, cost.Latency/1000)
}
