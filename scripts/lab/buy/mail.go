package buy

import (
	"context"
	"fmt"
	"strings"

	"banyan/scripts/lab/shop"
)

// readMail waits until the mail about the order is in the customer's mailbox, then looks at the shop's
// own list of what it has written.
func (c *customer) readMail(ctx context.Context, outsideURL, address string, receipt *Receipt) error {
	// The mailbox is no part of the shop, and gets no token.
	mailbox, err := newCustomer(outsideURL, c.out)
	if err != nil {
		return err
	}
	arrived, err := until(ctx, mailbox, get(query("/mail.json", "to", address)), func(all []mail) bool {
		_, found := about(all, receipt.OrderID)
		return found
	})
	if err != nil {
		return err
	}
	message, _ := about(arrived, receipt.OrderID)
	receipt.Mail = message.Subject
	mailbox.tell("the mail %q has arrived", receipt.Mail)

	var notifications shop.List[shop.Notification]
	if err := c.ask(ctx, get("/v1/notifications?limit=1"), &notifications); err != nil {
		return err
	}
	if len(notifications.Items) == 0 {
		return fmt.Errorf("%s sent a mail but lists no notification", c.base)
	}
	newest := notifications.Items[0]
	c.tell("the newest notification is %q, to %s", newest.Subject, newest.To)
	return nil
}

// about finds the mail that speaks of an order.
func about(all []mail, orderID string) (mail, bool) {
	for _, message := range all {
		if strings.Contains(message.Subject+message.Body, orderID) {
			return message, true
		}
	}
	return mail{}, false
}
