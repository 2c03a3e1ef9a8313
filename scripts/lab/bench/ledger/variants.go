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
	{"orders-no-reserve", "./services/orders", []cut{reserveCut}},
	{"orders-no-calls", "./services/orders", []cut{reserveCut, chargeCut}},
}

// The variants of a checkout. Those of the services each leave out one more thing than the one before.
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
	noReserve   = "… and the call of inventory cut out of orders"
	noCalls     = "… and the call of payments cut out of orders"
)

// checkoutSteps are the ledger of a checkout.
var checkoutSteps = []difference{
	{"gateway", "the monolith behind the gateway, and asked directly", []string{facade}, []string{monolith}},
	{"call of inventory", "the call cut out of orders: the hop, JSON and tokens at both ends, inventory's transaction and its event",
		[]string{noEvents}, []string{noReserve}},
	{"call of payments", "the same; less what the call of the card processor costs the monolith as well, where it was cut out, too",
		[]string{noReserve, noProcessor}, []string{noCalls, monolith}},
	{"shipping, by event", "shipping stopped", []string{noMessages}, []string{noParcels}},
	{"mail, by event", "notifications stopped; less what handing over mail costs the monolith as well, where it was cut out",
		[]string{noSales, noMail}, []string{noMessages, monolith}},
	{"recent sales, by event", "catalog stopped", []string{services}, []string{noSales}},
	{"relays, broker, other consumers", "the broker stopped, too", []string{noParcels}, []string{noEvents}},
}

const catalogAlone = "catalog asked directly"

// pageSteps are the ledger of a book page.
var pageSteps = []difference{
	{"gateway", "the monolith behind the gateway, and asked directly", []string{facade}, []string{monolith}},
	{"catalog, a process of its own", "catalog asked directly, and the monolith", []string{catalogAlone}, []string{monolith}},
}

// Run measures both in a lab of its own, which takes some three minutes on a quiet machine.
func Run(ctx context.Context, options Options) (_ *Report, err error) {
	options.complete()
	w, err := open(ctx, options)
	if err != nil {
		return nil, err
	}
	defer func() {
		if stopped := w.close(context.WithoutCancel(ctx)); err == nil {
			err = stopped
		}
	}()
	pages, checkouts := map[string][]Cost{}, map[string][]Cost{}
	for round := range options.Rounds {
		w.say("round %d of %d", round+1, options.Rounds)
		if err := w.measurePages(ctx, pages); err != nil {
			return nil, err
		}
		if err := w.measureCheckouts(ctx, checkouts); err != nil {
			return nil, err
		}
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
		"Unexplained is what remains of the services when all of the above is gone, less the monolith: the saga's state and the outbox rows of orders, " +
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
	swap := func(process, variant string) func(context.Context) error {
		return func(ctx context.Context) error { return w.swap(ctx, process, variant) }
	}
	nothing := func(context.Context) error { return nil }
	for _, v := range []struct {
		name, schema, base string
		change             func(context.Context) error
	}{
		{monolith, "monolith", w.lab.MonolithURL(), nothing},
		{facade, "monolith", w.lab.FacadeURL(), nothing},
		{noProcessor, "monolith", w.lab.MonolithURL(), swap("monolith", "monolith-no-processor")},
		{noMail, "monolith", w.lab.MonolithURL(), swap("monolith", "monolith-no-mail")},
		{services, "orders", w.lab.GatewayURL(), swap("monolith", "monolith")},
		{noSales, "orders", w.lab.GatewayURL(), stop("catalog")},
		{noMessages, "orders", w.lab.GatewayURL(), stop("notifications")},
		{noParcels, "orders", w.lab.GatewayURL(), stop("shipping")},
		{noEvents, "orders", w.lab.GatewayURL(), stop("nats")},
		{noReserve, "orders", w.lab.GatewayURL(), swap("orders", "orders-no-reserve")},
		{noCalls, "orders", w.lab.GatewayURL(), swap("orders", "orders-no-calls")},
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
	if err := w.swap(ctx, "orders", "orders"); err != nil {
		return err
	}
	_, err := w.meter.rest(ctx)
	return err
}

func (w *world) note(into map[string][]Cost, thing, variant string, cost Cost) {
	into[variant] = append(into[variant], cost)
	w.say("  %s, %s: CPU %.2f ms, latency %.2f ms", thing, variant, cost.CPU/1000, cost.Latency/1000)
}
