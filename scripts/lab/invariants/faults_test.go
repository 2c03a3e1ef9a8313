package invariants

import (
	"slices"

	"github.com/google/uuid"
)

// fault is one thing spoiled, and the rules that must notice. Any other rule must not.
type fault struct {
	name    string
	sql     string         // in the services' schemas
	outside func(*witness) // may be nil
	rules   []string
	fleet   bool // services only
}

const (
	onceDecided  = "the card processor decides once per order"
	withoutOrder = "nothing is charged without an order"
	putAside     = "an event that was planted to be rejected is put aside by each of its readers"
	oneCharge    = "a paid or shipped order has one charge of its amount, and only such a charge is kept"
	sayLedger    = "a payment says what the ledger says"
	inOrSold     = "what came in is in stock or sold"
	oneShipment  = "a paid order has one shipment, in its state, and an unpaid one none"
	oneReceipt   = "a paid order has one receipt, and an unpaid one none"
	toldOnce     = "a cancellation and a dispatch are told once, and truly"
	orphaned     = "no reservation is orphaned"
	recentSales  = "catalog's recent sales equal the orders"
	availability = "catalog's availability equals inventory's stock"
	copiedBooks  = "orders' copies of the books equal catalog's"
	contacts     = "notifications' contacts equal the accounts"
	published    = "every event is published"
	rejected     = "no event is rejected, but those that were planted"
)

// paid is the first paid order; the others are like it.
const (
	paid     = `(select id from orders.orders where status = 'paid' order by id limit 1)`
	declined = `(select id from orders.orders where cancel_reason = 'declined' order by id limit 1)`
	aBook    = `(select id from catalog.books order by id limit 1)`
)

func faults() []fault {
	dropFirst := func(effect string) func(*witness) {
		return func(w *witness) {
			i := slices.IndexFunc(w.ledger, func(e Entry) bool { return e.Effect == effect })
			w.ledger = slices.Delete(w.ledger, i, i+1)
		}
	}
	return []fault{
		{name: "a charge that is gone", outside: dropFirst("charge"), rules: []string{oneCharge, sayLedger}},
		{name: "a refund that was never made", outside: dropFirst("refund"), rules: []string{oneCharge, sayLedger}},
		{name: "a charge made twice", outside: func(w *witness) { w.ledger = append(w.ledger, w.ledger[0]) },
			rules: []string{oneCharge, sayLedger, onceDecided}},
		{name: "a charge of another amount", outside: func(w *witness) { w.ledger[0].Amount++ }, rules: []string{oneCharge}},
		{name: "a charge without an order", outside: func(w *witness) {
			w.ledger = append(w.ledger, Entry{Effect: "charge", Reference: uuid.NewString(), Amount: 100, Currency: "USD"})
		}, rules: []string{withoutOrder}},
		{name: "a charge without an order that was given back", outside: func(w *witness) {
			id := uuid.NewString()
			w.ledger = append(w.ledger, Entry{Effect: "charge", Reference: id, Amount: 100, Currency: "USD"},
				Entry{Effect: "refund", Reference: id, Amount: 100, Currency: "USD"})
		}, rules: []string{withoutOrder}},
		{name: "a decline without an order", outside: func(w *witness) {
			w.ledger = append(w.ledger, Entry{Effect: "decline", Reference: uuid.NewString(), Amount: 100, Currency: "USD"})
		}, rules: []string{withoutOrder}},
		{name: "a charge of an order that was declined as well", outside: func(w *witness) {
			i := slices.IndexFunc(w.ledger, func(e Entry) bool { return e.Effect == "charge" })
			again := w.ledger[i]
			again.Effect = "decline"
			w.ledger = append(w.ledger, again)
		}, rules: []string{onceDecided}},
		{name: "a payment without an order", sql: `insert into payments.payments
			select (jsonb_populate_record(p, jsonb_build_object('id', gen_random_uuid(), 'order_id', gen_random_uuid()))).*
			from payments.payments p where order_id = ` + paid, rules: []string{sayLedger}},
		{name: "two payments for one order", sql: `alter table payments.payments drop constraint payments_order;
			insert into payments.payments
			select (jsonb_populate_record(p, jsonb_build_object('id', gen_random_uuid()))).*
			from payments.payments p where order_id = ` + paid, rules: []string{sayLedger}},
		{name: "a shipment without an order", sql: `update shipping.shipments set order_id = gen_random_uuid() where order_id = ` + paid,
			rules: []string{oneShipment}},
		{name: "a refund of a paid order", outside: func(w *witness) {
			i := slices.IndexFunc(w.ledger, func(e Entry) bool {
				return e.Effect == "charge" && !slices.ContainsFunc(w.ledger, func(other Entry) bool {
					return other.Effect == "refund" && other.Reference == e.Reference
				})
			})
			back := w.ledger[i]
			back.Effect = "refund"
			w.ledger = append(w.ledger, back)
		}, rules: []string{oneCharge, sayLedger}},
		{name: "a cancelled order that is charged", outside: func(w *witness) {
			i := slices.IndexFunc(w.ledger, func(e Entry) bool { return e.Effect == "decline" })
			w.ledger[i].Effect = "charge"
		}, rules: []string{oneCharge, sayLedger}},
		{name: "a receipt of a declined order", outside: func(w *witness) {
			i := slices.IndexFunc(w.ledger, func(e Entry) bool { return e.Effect == "decline" })
			w.mails = append(w.mails, Mail{"new", SubjectPaid, "Your order: " + w.ledger[i].Reference})
		}, rules: []string{oneReceipt}},
		{name: "a cancellation told twice", outside: func(w *witness) {
			i := slices.IndexFunc(w.ledger, func(e Entry) bool { return e.Effect == "decline" })
			body := "Your order: " + w.ledger[i].Reference
			w.mails = append(w.mails, Mail{"new", SubjectCancelled, body}, Mail{"newer", SubjectCancelled, body})
		}, rules: []string{toldOnce}},
		{name: "a paid order told of its parcel", outside: func(w *witness) {
			i := slices.IndexFunc(w.mails, func(m Mail) bool { return m.Subject == SubjectShipped })
			w.mails = append(w.mails, Mail{"new", SubjectShipped, w.mails[i].Body})
		}, rules: []string{toldOnce}},
		{name: "a shipped order whose parcel is here", sql: `update shipping.shipments set status = 'preparing', tracking_number = null
			where status = 'dispatched' and order_id = (select id from orders.orders where status = 'shipped' order by id limit 1)`,
			rules: []string{oneShipment}},
		{name: "a payment of another amount", sql: `update payments.payments set amount = amount + 1 where order_id = ` + paid,
			rules: []string{sayLedger}},
		{name: "a payment that is gone", sql: `delete from payments.payments where order_id = ` + paid, rules: []string{sayLedger}},
		{name: "a total that is not the lines'", sql: `update orders.order_items set unit_price = unit_price + 1 where order_id = ` + paid,
			rules: []string{"an order's total is what its lines come to"}},
		{name: "a delivery that is gone", sql: `delete from inventory.deliveries where book_id = ` + aBook, rules: []string{inOrSold}},
		{name: "a shipment that is gone", sql: `delete from shipping.shipments where order_id = ` + paid, rules: []string{oneShipment}},
		{name: "a shipment of a declined order", sql: `update shipping.shipments set order_id = ` + declined + ` where order_id = ` + paid,
			rules: []string{oneShipment}},
		{name: "a receipt that never came", outside: func(w *witness) { w.mails = w.mails[2:] }, rules: []string{oneReceipt}},
		{name: "two receipts for one order", outside: func(w *witness) { w.mails[0].MessageID = "another" }, rules: []string{oneReceipt}},
		{name: "a paid order told of a cancellation", outside: func(w *witness) {
			w.mails = append(w.mails, Mail{"new", "Your order is cancelled", w.mails[0].Body})
		}, rules: []string{toldOnce}},
		{name: "a refund that is due", sql: `update payments.payments set refund_requested_at = now() where order_id = ` + paid,
			rules: []string{"no payment and no refund is under way"}},
		{name: "a queued mail", sql: `insert into notifications.notifications (id, account_id, kind, to_address, subject, body)
			select gen_random_uuid(), id, 'welcome', email, 'Hello', '' from accounts.accounts limit 1`,
			rules: []string{"no mail is queued"}},

		{name: "a wish to cancel that is open", sql: `update orders.orders set cancel_requested_at = now() where id = ` + paid,
			rules: []string{"no wish to cancel is open"}, fleet: true},
		{name: "copies reserved for nobody", sql: `update inventory.stock set reserved = 1 where book_id = ` + aBook,
			rules: []string{orphaned, availability}, fleet: true},
		{name: "a reservation left over", sql: `update inventory.reservations set status = 'reserved' where order_id = ` + paid,
			rules: []string{orphaned}, fleet: true},
		{name: "a reservation released under a paid order", sql: `update inventory.reservations set status = 'released' where order_id = ` + paid,
			rules: []string{orphaned}, fleet: true},
		{name: "an event that is not published", sql: `insert into shipping.outbox (id, type, data, trace)
			values (gen_random_uuid(), 'shipment.dispatched', '{}', '')`, rules: []string{published}, fleet: true},
		{name: "a dead letter", sql: `insert into payments.dead_letters (consumer, event_id, type, subject, headers, body, error)
			values ('payments', gen_random_uuid(), 'order.paid', 's', '{}', '', 'no')`, rules: []string{rejected}, fleet: true},
		{name: "void payments of another amount", sql: `update payments.payments set status = 'void', amount = amount + 1 where status = 'declined'`,
			outside: func(w *witness) {
				w.ledger = slices.DeleteFunc(w.ledger, func(e Entry) bool { return e.Effect == "decline" })
			}, rules: []string{sayLedger}, fleet: true},
		{name: "a void payment without an order", sql: `insert into payments.payments (id, order_id, account_id, status, amount, created_at)
			select gen_random_uuid(), gen_random_uuid(), id, 'void', 100, now() from accounts.accounts limit 1`,
			rules: []string{sayLedger}, fleet: true},
		{name: "an old price in orders", sql: `update orders.books set price = price - 1 where id = ` + aBook,
			rules: []string{copiedBooks}, fleet: true},
		{name: "a book that orders does not know", sql: `delete from orders.books where id = ` + aBook,
			rules: []string{copiedBooks}, fleet: true},
		{name: "a book that inventory does not know", sql: `delete from inventory.stock where book_id = ` + aBook,
			rules: []string{"inventory knows every book", availability, inOrSold}, fleet: true},
		{name: "an availability that is not so", sql: `update catalog.availability set available = available + 1 where book_id = ` + aBook,
			rules: []string{availability}, fleet: true},
		{name: "a sale that catalog missed", sql: `delete from catalog.recent_orders where order_id = ` + paid,
			rules: []string{recentSales}, fleet: true},
		{name: "a sale that catalog counts although it is cancelled", sql: `update catalog.recent_orders set cancelled = false where order_id = ` + declined,
			rules: []string{recentSales}, fleet: true},
		{name: "a line of a sale that catalog missed", sql: `update catalog.recent_order_items set quantity = quantity + 1 where order_id = ` + paid,
			rules: []string{recentSales}, fleet: true},
		{name: "a contact with another address", sql: `update notifications.contacts set email = 'x@example.org'
			where account_id = (select id from accounts.accounts limit 1)`, rules: []string{contacts}, fleet: true},
	}
}
